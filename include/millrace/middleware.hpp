// middleware.hpp: what runs around handlers. app.use(), Group::use() and the verbs (get, post...) take
// any number of, in order, the first one outermost:
//
//   before     [](mr::Request&) -> std::optional<mr::Response>   an answer ends it there; nothing goes on
//              [](mr::Request&) -> void
//   after      [](mr::Request&, mr::Reply&) -> void              sees and changes every reply
//   done       void done(mr::Request&, const mr::Outcome&) const   of an object: once the handler has ended
//              and the reply, if there was one, has been handed over; also for what the engine refused
//   several    an object with any of the members before(), after() and done()
//   around     [](mr::Request&, mr::Next) -> mr::Task<mr::Response>    a coroutine: may wait
//   a limit    mr::timeout(), mr::body_limit(): the innermost one counts, as of mr::cors()
//
// A WebSocket's handshake passes before(); its 101 is seen by done() alone, when the socket has closed.
// What the engine refuses by itself (400, 408, 413...) is seen by after() and done() of the application
// alone, with a Request that has no more than what was understood of it.
//
// Called by all cores at once, so const, as handlers are. What throws is answered as a handler's
// exception is, and those further out see that answer.
#pragma once

#include <millrace/namespace.hpp>

#include <chrono>
#include <cstdint>

namespace millrace {

class Request;
class Response;
template <class T>
class Task;

/// See timeout().
struct Timeout {
  std::uint64_t duration_ns;
};
/// A coroutine that has not answered by then is cancelled, the middleware around it too, and the client gets
/// a 503; a stream is cut, an open WebSocket left alone. A handler that is no coroutine cannot be stopped: for it this has no effect.
template <class Rep, class Period>
constexpr Timeout timeout(std::chrono::duration<Rep, Period> duration) noexcept {
  const auto whole = std::chrono::ceil<std::chrono::nanoseconds>(duration).count();
  return {whole > 0 ? static_cast<std::uint64_t>(whole) : 1};
}

/// See body_limit().
struct BodyLimit {
  std::uint64_t bytes;
};
/// The longest body, in place of ServerOptions::body_bytes: a longer one is refused with 413, before it is
/// read where its length was announced. At least 1.
constexpr BodyLimit body_limit(std::uint64_t bytes) noexcept { return {bytes != 0 ? bytes : 1}; }

/// The rest of the chain, inwards.
class Next {
 public:
  /// `co_await next()`, at most once: the answer of what is further in. An exception there has become a
  /// Response before. A file's or a stream's Response has no body to look at; the file's goes on with the
  /// Response, also where it is moved; a stream has been sent by then, and what is done to it has no effect.
  Task<Response> operator()() const;

  /// The engine's own.
  Next(Request& request, std::uint32_t index) noexcept : request_(&request), index_(index) {}

 private:
  Request* request_;
  std::uint32_t index_;
};

}  // namespace millrace
