// events.hpp: server-sent events. Source: the HTML standard, section 9.2 "Server-sent events".
//
//   app.get("/prices", [](mr::Request& request) -> mr::Task<> {
//     auto events = request.events();
//     for (int n = 0;; ++n) {
//       co_await events.send({.data = std::to_string(n), .event = "price", .id = std::to_string(n)});
//       co_await mr::sleep(1s);
//     }
//   });
#pragma once

#include <millrace/namespace.hpp>
#include <millrace/request.hpp>
#include <millrace/stream.hpp>

#include <chrono>
#include <coroutine>
#include <optional>
#include <string>
#include <string_view>

namespace millrace {

/// One event. Its views are read before Events::send() suspends.
struct Event {
  std::string_view data;        ///< May have several lines.
  std::string_view event = {};  ///< The type; empty: "message". One line.
  std::string_view id = {};     ///< What a client that comes back says it saw last. One line.
  std::optional<std::chrono::milliseconds> retry = {};  ///< How long a client waits before it comes back.
};

namespace detail {

/// Appends the event's lines and the empty line behind them. Null, or what is wrong: then nothing is appended.
const char* append_event(std::string& out, const Event& event);

}  // namespace detail

#ifdef __cpp_exceptions

namespace detail {

class [[nodiscard]] SendEvent {
 public:
  SendEvent(const Request& request, const Event& event) : text_(lines(event)), write_(request, text_) {}
  SendEvent(const SendEvent&) = delete;
  SendEvent& operator=(const SendEvent&) = delete;
  bool await_ready() { return write_.await_ready(); }
  void await_suspend(std::coroutine_handle<> handle) noexcept { write_.await_suspend(handle); }
  void await_resume() const { write_.await_resume(); }

 private:
  static std::string lines(const Event& event) {
    std::string text;
    if (const char* problem = append_event(text, event)) throw std::invalid_argument(problem);
    return text;
  }

  std::string text_;
  WritePart write_;
};

}  // namespace detail

/// A stream of events; valid as long as the request. Made by Request::events().
class Events {
 public:
  /// Of Request::events().
  Events(const Request& request, std::chrono::nanoseconds heartbeat)
      : request_(&request), last_id_(request.header("last-event-id").value_or("")) {
    static_cast<void>(Stream(request,
                             Response().content_type("text/event-stream").header("Cache-Control", "no-cache"),
                             length_unknown));
    if (heartbeat > heartbeat.zero()) {
      detail::stream_idle_text(request, ":\n\n", static_cast<std::uint64_t>(heartbeat.count()));
    }
  }

  /// `co_await`: sends one event; suspends, and throws, as Stream::write() does; std::invalid_argument for a
  /// type or an id of several lines.
  detail::SendEvent send(const Event& event) const { return {*request_, event}; }

  /// What the client saw last, where it comes back (Last-Event-ID); else empty.
  std::string_view last_id() const noexcept { return last_id_; }

  /// The stream is complete: clients come back for more, unless they are told otherwise.
  void end() const noexcept { detail::stream_end(*request_); }

 private:
  const Request* request_;
  std::string_view last_id_;
};

inline Events Request::events(std::chrono::nanoseconds heartbeat) const { return {*this, heartbeat}; }

#endif

}  // namespace millrace
