// handler_async.hpp: the root of a request's coroutines: awaits the handler's Task, answers, and ends.
#pragma once

#include <millrace/detail/bridge.hpp>
#include <millrace/detail/handler.hpp>
#include <millrace/task.hpp>

#include <exception>
#include <type_traits>
#include <utility>

namespace millrace::detail {

template <class R>
void answer_unless_streamed(Request& request, R&& result) {
  if (!streams(request)) return answer(request, std::forward<R>(result));
  cut_stream(request, "the handler streamed its reply, and gave another: one that streams is an mr::Task<>");
}

/// Within a catch block.
inline void answer_or_cut(Request& request) noexcept {
  if (!streams(request)) return answer_exception(request);
  try {
    throw;
  } catch (const std::exception& exception) {
    cut_stream(request, exception.what());
  } catch (...) {
    cut_stream(request, "an exception that is no std::exception");
  }
}

/// The arguments live in this frame, so what the handler takes by reference outlives its coroutine.
template <class F>
Detached run_task(const F& handler, Request& request) {
  try {
    Holders<typename Signature<F>::Arguments> arguments;
    if (arguments.fill_or_refuse(request)) {
      using Result = typename Signature<F>::Result::value_type;
      if constexpr (std::is_void_v<Result>) {
        co_await arguments.call(handler);
        if (!cancelled(request)) reply_nothing(request);
      } else {
        auto result = co_await arguments.call(handler);
        if (!cancelled(request)) answer_unless_streamed(request, std::move(result));
      }
    }
  } catch (...) {
    if (!cancelled(request)) answer_or_cut(request);  // Else nobody is there to be answered.
  }
  finished(request);
}

template <class F>
void start_asynchronous(void* self, Request& request) noexcept {
  run_task(*static_cast<const F*>(self), request);
}

}  // namespace millrace::detail
