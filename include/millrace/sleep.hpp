// sleep.hpp: waiting for time to pass, without holding up the core.
#pragma once

#include <millrace/cancelled.hpp>
#include <millrace/detail/scope.hpp>
#include <millrace/namespace.hpp>

#include <chrono>
#include <coroutine>
#include <cstdint>

namespace millrace {
namespace detail {

class [[nodiscard]] SleepAwaiter {
 public:
  explicit SleepAwaiter(std::uint64_t duration_ns) noexcept : duration_ns_(duration_ns) {}
  SleepAwaiter(const SleepAwaiter&) = delete;
  SleepAwaiter& operator=(const SleepAwaiter&) = delete;

  bool await_ready() const {
    throw_if_cancelled();
    return false;
  }
  void await_suspend(std::coroutine_handle<> handle) noexcept { sleep_start(waiter_, handle, duration_ns_); }
  void await_resume() const { throw_if_cancelled(); }

 private:
  SleepWaiter waiter_;
  std::uint64_t duration_ns_;
};

/// Saturates: less than nothing is nothing, and a time past what the clock can count is its end.
template <class Rep, class Period>
constexpr std::uint64_t sleep_ns(std::chrono::duration<Rep, Period> duration) noexcept {
  constexpr std::uint64_t end_ns = std::uint64_t{1} << 62;  // 146 years.
  using Seconds = std::chrono::duration<long double>;
  if (!(duration > duration.zero())) return 0;  // Negated, so that a NaN is nothing too.
  if (Seconds(duration).count() >= static_cast<long double>(end_ns) / 1e9L) return end_ns;
  return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::nanoseconds>(duration).count());
}

}  // namespace detail

/// `co_await mr::sleep(100ms)`: goes on after at least that time, at most about a millisecond late
/// while the core has no other work. Throws Cancelled as soon as the client has left.
/// Only in a coroutine of a handler's.
template <class Rep, class Period>
detail::SleepAwaiter sleep(std::chrono::duration<Rep, Period> duration) noexcept {
  return detail::SleepAwaiter(detail::sleep_ns(duration));
}

/// `co_await mr::yield()`: lets what else is ready run first, and input and output take their turn.
/// For long computations, which would hold up every other request of the core.
inline detail::SleepAwaiter yield() noexcept { return detail::SleepAwaiter(0); }

}  // namespace millrace
