// chain.hpp: runs a chain of middleware that has a coroutine in it.
//
//   start_chain -> Segment (befores) -> around -> next() -> run_rest -> Segment -> ... -> handler
//   the client  <- Segment (afters)  <- Response ----------^ captured by the inner Segment
#pragma once

#include <millrace/cancelled.hpp>
#include <millrace/detail/bridge.hpp>
#include <millrace/detail/chain_segment.hpp>
#include <millrace/detail/handler_async.hpp>
#include <millrace/middleware.hpp>
#include <millrace/response.hpp>
#include <millrace/task.hpp>

#include <coroutine>
#include <cstdint>
#include <utility>

namespace millrace::detail {

struct HandlerAwaiter {
  ChainSegment& segment;
  bool await_ready() const noexcept { return segment.start_handler(); }
  void await_suspend(std::coroutine_handle<> handle) const noexcept { segment.wait(handle); }
  void await_resume() const { throw_if_cancelled(); }
};

/// Runs what is inside of the segment; its reply has gone through the segment's afters at the end.
inline Task<> run_segment(ChainSegment& segment, Request& request) {
  switch (segment.enter()) {
    case ChainSegment::Step::answered: co_return;
    case ChainSegment::Step::handler: co_await HandlerAwaiter{segment}; co_return;
    case ChainSegment::Step::around: break;
  }
  try {
    const Middleware& middleware = segment.around();
    Response response =
        co_await middleware.around(middleware.self, request, Next(request, segment.next_index()));
    if (cancelled(request)) co_return;
    if (streams(request)) {
      reply_nothing(request);  // It has been sent, all but its end, perhaps.
    } else if (!replied(request)) {
      reply(request, std::move(response));
    }
  } catch (...) {
    if (cancelled(request)) throw;
    if (!replied(request) || streams(request)) answer_or_cut(request);
  }
}

inline Task<Response> run_rest(Request& request, std::uint32_t index) {
  ChainSegment segment(request, index, true);
  co_await run_segment(segment, request);
  throw_if_cancelled();
  co_return segment.take();
}

/// The root of a request's coroutines, where middleware is one of them.
inline Detached run_chain(Request& request) {
  try {
    ChainSegment segment(request, 0, false);
    co_await run_segment(segment, request);
  } catch (...) {
    // Only a cancellation comes this far.
  }
  finished(request);
}

inline void start_chain(Request& request) noexcept { run_chain(request); }

}  // namespace millrace::detail

namespace millrace {

inline Task<Response> Next::operator()() const { return detail::run_rest(*request_, index_); }

}  // namespace millrace
