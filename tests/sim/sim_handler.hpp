// sim_handler.hpp: the application of a simulated core: what it answers is a function of the request.
//
//   GET  /n/<text>            the path, at once
//   GET  /close/<text>        the path, at once, and closes the connection
//   GET  /later/<ms>/<text>   the path, from a coroutine that sleeps
//   GET  /source/<bytes>      that many letters, from a body source
//   POST /echo                the body
#pragma once

#include <millrace/cancelled.hpp>
#include <millrace/sleep.hpp>

#include <chrono>
#include <coroutine>
#include <exception>
#include <string>
#include <string_view>

#include "engine/proto/exchange.hpp"
#include "engine/serve/scheduler.hpp"

namespace millrace::test {

inline std::string letters(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 26);
  return text;
}

class SimHandler final : public proto::RequestHandler {
 public:
  serve::Scheduler* scheduler = nullptr;
  std::uint64_t coroutines_live = 0;
  std::uint64_t sources_live = 0;
  std::uint64_t started = 0;

  void route(proto::Exchange& exchange) noexcept override {
    exchange.route = this;
    exchange.asynchronous = exchange.target.path.starts_with("/later/");
  }

  void start(proto::Exchange& exchange) noexcept override {
    ++started;
    const std::string_view path = exchange.target.path;
    if (exchange.asynchronous) {
      const auto ms = std::stoul(std::string(path.substr(7)));
      scheduler->enter(exchange.scope, [&] { later(*this, exchange, std::chrono::milliseconds(ms)); });
    } else if (path.starts_with("/source/")) {
      const auto size = std::stoul(std::string(path.substr(8)));
      exchange.sink->reply(exchange, {.status = 200,
                                      .content_type = {},
                                      .fields = {},
                                      .body = {},
                                      .source = new Letters(*this),
                                      .source_bytes = size});
    } else {
      text(exchange, 200, path == "/echo" ? exchange.body : path, path.starts_with("/close/"));
    }
  }

  void refuse(proto::Exchange& exchange, Error error) noexcept override {
    text(exchange, error.status, name_of(error.code));
  }

 private:
  struct Detached {
    struct promise_type {
      Detached get_return_object() noexcept { return {}; }
      std::suspend_never initial_suspend() noexcept { return {}; }
      std::suspend_never final_suspend() noexcept { return {}; }
      void return_void() noexcept {}
      void unhandled_exception() noexcept { std::terminate(); }
    };
  };

  struct Letters final : proto::BodySource {
    explicit Letters(SimHandler& owner) : of(owner) { ++of.sources_live; }
    Result<std::size_t> read(std::span<char> out) noexcept override {
      for (char& letter : out) letter = static_cast<char>('a' + at++ % 26);
      return out.size();
    }
    void release() noexcept override {
      --of.sources_live;
      delete this;
    }
    SimHandler& of;
    std::size_t at = 0;
  };

  static void text(proto::Exchange& exchange, unsigned status, std::string_view body,
                   bool close = false) noexcept {
    exchange.sink->reply(exchange, {.status = static_cast<std::uint16_t>(status),
                                    .content_type = "text/plain",
                                    .fields = {},
                                    .body = body,
                                    .close = close});
  }

  static Detached later(SimHandler& self, proto::Exchange& exchange, std::chrono::milliseconds time) {
    ++self.coroutines_live;
    try {
      co_await millrace::sleep(time);
      text(exchange, 200, exchange.target.path);
    } catch (const millrace::Cancelled&) {
    }
    --self.coroutines_live;
    exchange.sink->finished(exchange);
  }
};

}  // namespace millrace::test
