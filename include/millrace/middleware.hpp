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
//   a limit    mr::timeout(), mr::body_limit(): the innermost one counts
//
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
