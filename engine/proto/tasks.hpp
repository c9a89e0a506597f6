// tasks.hpp: what a protocol needs of the scheduler of coroutines, which is above it.
#pragma once

#include <millrace/detail/scope.hpp>

namespace millrace::proto {

class Tasks {
 public:
  /// The client has left: the co_await under way ends with Cancelled, and so does every later one.
  virtual void cancel(detail::Scope& scope) noexcept = 0;
  /// What the coroutine waited for is there: it goes on in this turn, not within the call.
  virtual void wake(detail::Waiter& waiter) noexcept = 0;

 protected:
  ~Tasks() = default;
};

}  // namespace millrace::proto
