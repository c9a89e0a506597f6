// handler_async.hpp: the root of a request's coroutines: awaits the handler's Task, answers, and ends.
#pragma once

#include <millrace/detail/bridge.hpp>
#include <millrace/detail/handler.hpp>
#include <millrace/task.hpp>

#include <utility>

namespace millrace::detail {

/// The arguments live in this frame, so what the handler takes by reference outlives its coroutine.
template <class F>
Detached run_task(const F& handler, Request& request) {
  try {
    Holders<typename Signature<F>::Arguments> arguments;
    Refusal refusal;
    if (!arguments.fill(request, refusal)) {
      reply_error(request, refusal.status, refusal.message);
    } else {
      auto result = co_await arguments.call(handler);
      if (!cancelled(request)) answer(request, std::move(result));
    }
  } catch (...) {
    if (!cancelled(request)) answer_exception(request);  // Else nobody is there to be answered.
  }
  finished(request);
}

template <class F>
void start_asynchronous(void* self, Request& request) noexcept {
  run_task(*static_cast<const F*>(self), request);
}

}  // namespace millrace::detail
