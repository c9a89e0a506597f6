// played_handler.hpp: a session in memory, and a handler that the test plays: it starts every request as a
// coroutine that reads in parts, and the test does what the coroutine would.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "engine/http/chunked.hpp"
#include "tests/support/memory_wire.hpp"

namespace millrace::test {

using State = proto::BodyPart::State;

/// Starts every request as a coroutine that reads in parts; the test does what the coroutine would.
class PlayedHandler final : public proto::RequestHandler {
 public:
  void route(proto::Exchange& exchange) noexcept override {
    const bool known = exchange.target.path != "/missing";
    exchange.route = known ? this : nullptr;
    exchange.asynchronous = known && exchange.target.path != "/sync";
    exchange.reads_parts = exchange.asynchronous;
    if (exchange.target.path.starts_with("/large")) exchange.body_bytes_max = 1u << 20;
    if (exchange.target.path.starts_with("/small")) exchange.body_bytes_max = 10;
  }
  void start(proto::Exchange& exchange) noexcept override {
    if (exchange.route == nullptr) return exchange.sink->reply(exchange, {.status = 404});
    if (!exchange.asynchronous) return exchange.sink->reply(exchange, {.body = "sync"});
    started.push_back(&exchange);
  }
  void refuse(proto::Exchange& exchange, Error error) noexcept override {
    exchange.sink->reply(exchange, {.status = error.status});
  }
  std::vector<proto::Exchange*> started;
};

struct PartsFixture {
  h1::Options options;
  PlayedHandler handler;
  MemoryWire wire{options, handler};
  detail::Waiter waiter;

  proto::Exchange& last() { return *handler.started.back(); }

  void begin(proto::Exchange& x, std::uint64_t length = proto::length_unknown) {
    x.streams->begin(x, {.content_type = "text/plain", .source_bytes = length});
  }
  /// False where the writer would have to wait.
  bool write(proto::Exchange& x, std::string_view bytes) {
    x.unsent = bytes;
    REQUIRE(x.streams->push(x));
    if (x.unsent.empty()) return true;
    await(x, proto::Awaiting::room);
    return false;
  }
  void await(proto::Exchange& x, proto::Awaiting what) {
    waiter.scope = &x.scope;
    x.scope.waiter = &waiter;
    x.awaiting = what;
  }
  void finish(proto::Exchange& x) {
    x.sink->finished(x);
    std::erase(handler.started, &x);
  }
  void end(proto::Exchange& x) {
    x.streams->end(x);
    finish(x);
  }
  /// Every part that is there; "$" at the end of the body, "~" where one must wait.
  std::string read(proto::Exchange& x) {
    std::string all;
    for (;;) {
      const proto::BodyPart part = x.streams->next(x);
      if (part.state == State::end) return all + "$";
      if (part.state == State::wait) return all + "~";
      REQUIRE_FALSE(part.bytes.empty());
      all += part.bytes;
    }
  }
  ~PartsFixture() {
    wire.close();
    while (!handler.started.empty()) finish(*handler.started.back());
    CHECK(wire.http.exchanges_live() == 0);
    CHECK(wire.pool.bytes_used() == 0);
  }
};

inline constexpr const char* get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

inline std::string body_of(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }
inline bool has(const std::string& text, std::string_view what) {
  return text.find(what) != std::string::npos;
}

/// Of whole chunks; the trailers behind them in `trailers`.
inline std::string dechunk(std::string wire, std::string* trailers = nullptr) {
  http::ChunkedState state;
  http::ChunkLimits limits;
  limits.body_bytes_max = 1u << 30;
  std::string kept(limits.trailer_bytes_max, '\0');
  std::size_t kept_bytes = 0;
  const auto got =
      http::decode_chunked(state, limits, wire.data(), wire.size(), wire.data(), kept.data(), &kept_bytes);
  REQUIRE(got);
  REQUIRE(got.value().done);
  REQUIRE(got.value().consumed_bytes == wire.size());
  if (trailers != nullptr) *trailers = kept.substr(0, kept_bytes);
  return wire.substr(0, got.value().written_bytes);
}

}  // namespace millrace::test
