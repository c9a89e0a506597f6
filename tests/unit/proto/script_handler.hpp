// script_handler.hpp: an application for protocol tests: answers by path, some of them later.
#pragma once

#include <string>
#include <vector>

#include "engine/proto/exchange.hpp"

namespace millrace::test {

/// /echo gives the body, /later/N waits for answer(N), /source/N gives N bytes by a BodySource,
/// /204 and /304 their status, /close closes, /missing has no route; all else gives its path.
class ScriptHandler final : public proto::RequestHandler {
 public:
  void route(proto::Exchange& exchange) noexcept override {
    const std::string_view path = exchange.target.path;
    const bool known = exchange.head.method != http::Method::other;
    exchange.route = path == "/missing" || !known ? nullptr : this;
    exchange.asynchronous = path.starts_with("/later/");
  }

  void start(proto::Exchange& exchange) noexcept override {
    const std::string_view path = exchange.target.path;
    ++started;
    if (exchange.route == nullptr) return text(exchange, 404, "missing");
    if (exchange.asynchronous) return waiting.push_back(&exchange);
    if (path == "/echo") return text(exchange, 200, exchange.body);
    if (path == "/trailers") return text(exchange, 200, exchange.trailers);
    if (path == "/204") return text(exchange, 204, "dropped");
    if (path == "/304") return text(exchange, 304, "dropped");
    if (path == "/close")
      return answer_with(exchange,
                         {.status = 200, .content_type = "text/plain", .body = "bye", .close = true});
    if (path.starts_with("/source/")) return source(exchange, std::stoul(std::string(path.substr(8))));
    text(exchange, 200, path);
  }

  void refuse(proto::Exchange& exchange, Error error) noexcept override {
    text(exchange, error.status, name_of(error.code));
  }

  /// Ends the coroutine that stands behind /later/<name>.
  void answer(std::string_view name) {
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      proto::Exchange& exchange = *waiting[i];
      if (exchange.target.path.substr(7) != name) continue;
      waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(i));
      text(exchange, 200, exchange.target.path);
      exchange.sink->finished(exchange);
      return;
    }
  }
  /// Ends the coroutines whose client has left.
  void end_cancelled() {
    std::vector<proto::Exchange*> left;
    for (proto::Exchange* exchange : waiting) {
      if (exchange->scope.cancelled) {
        exchange->sink->finished(*exchange);
      } else {
        left.push_back(exchange);
      }
    }
    waiting = left;
  }

  std::vector<proto::Exchange*> waiting;
  std::size_t started = 0;
  std::size_t sources_open = 0;
  bool source_fails = false;

 private:
  struct Letters final : proto::BodySource {
    explicit Letters(ScriptHandler& owner) : of(owner) { ++of.sources_open; }
    Result<std::size_t> read(std::span<char> out) noexcept override {
      if (of.source_fails) return Error{Errc::system, 0, 5};
      for (char& letter : out) letter = static_cast<char>('a' + at++ % 26);
      return out.size();
    }
    void release() noexcept override {
      --of.sources_open;
      delete this;
    }
    ScriptHandler& of;
    std::size_t at = 0;
  };

  static void answer_with(proto::Exchange& exchange, const proto::ReplyView& view) noexcept {
    exchange.sink->reply(exchange, view);
  }
  static void text(proto::Exchange& exchange, unsigned status, std::string_view body) noexcept {
    answer_with(exchange,
                {.status = static_cast<std::uint16_t>(status), .content_type = "text/plain", .body = body});
  }
  void source(proto::Exchange& exchange, std::size_t size) noexcept {
    answer_with(
        exchange,
        {.status = 200, .content_type = "text/plain", .source = new Letters(*this), .source_bytes = size});
  }
};

/// The bodies of the replies in `wire`, in order; a reply without Content-Length has none.
inline std::vector<std::string> bodies_of(std::string_view wire) {
  std::vector<std::string> bodies;
  while (!wire.empty()) {
    const std::size_t end = wire.find("\r\n\r\n");
    if (end == std::string_view::npos) break;
    const std::string_view head = wire.substr(0, end);
    const std::size_t field = head.find("Content-Length: ");
    const std::size_t size =
        field == std::string_view::npos ? 0 : std::stoul(std::string(head.substr(field + 16)));
    bodies.emplace_back(wire.substr(end + 4, size));
    wire.remove_prefix(std::min(wire.size(), end + 4 + size));
  }
  return bodies;
}

}  // namespace millrace::test
