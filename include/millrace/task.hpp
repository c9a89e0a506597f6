// task.hpp: a coroutine that another coroutine awaits: what an asynchronous handler returns.
//
//   mr::Task<int> count(mr::Request& request) {
//     co_await mr::sleep(10ms);
//     co_return 1;
//   }
//
// Start       lazily: nothing runs before `co_await`, and each Task is awaited at most once.
// Thread      everything runs on the core that serves the request; no locks are needed among the
//             coroutines of one core, and none may be held across a co_await.
// Lifetime    a Task owns its coroutine. Awaited, it lives in the frame of the coroutine that awaits
//             it, so parameters and locals of the caller outlive it. The frame keeps a copy of each
//             parameter passed by value; one passed by reference must outlive the co_await. Captures
//             of a lambda are not copied: the lambda must live as long as its coroutine (a handler
//             does; it belongs to the App).
// The client  when it leaves, nothing is destroyed under the coroutine's feet: the co_await under way
//             throws mr::Cancelled from the core's queue, and the stack of coroutines unwinds as with
//             any exception. Views of the request stay valid until the outermost one has ended.
// Cost        a frame from the core's free lists. A Task that never waits costs no trip through a queue.
#pragma once

#include <millrace/cancelled.hpp>
#include <millrace/detail/scope.hpp>
#include <millrace/namespace.hpp>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace millrace {

template <class T>
class Task;

namespace detail {

/// Frames of a promise derived from this come from the core's free lists.
struct PooledFrame {
  // Never null; not noexcept, which would ask for get_return_object_on_allocation_failure().
  static void* operator new(std::size_t size_bytes) { return frame_allocate(size_bytes); }
  static void operator delete(void* frame, std::size_t size_bytes) noexcept {
    frame_release(frame, size_bytes);
  }
};

/// What promises of all result types share: who goes on afterwards, and what was thrown.
class TaskPromiseBase : public PooledFrame {
  /// Goes on with the awaiting coroutine in place of this one, unless start() does.
  struct Finish {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> finished) const noexcept {
      return finished.promise().continuation_;
    }
    void await_resume() const noexcept {}
  };

 public:
  std::suspend_always initial_suspend() const noexcept { return {}; }
  Finish final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { exception_ = std::current_exception(); }

  /// Runs `self`, the coroutine of this promise, to its first wait. True where it waits: then it goes on
  /// with `awaiting` at its end. False where it has ended: the caller goes on itself. (A transfer there
  /// and back would do too; but without optimisation, and under sanitizers, compilers make calls of it,
  /// and a loop over Tasks that never wait would run out of stack.)
  bool start(std::coroutine_handle<> self, std::coroutine_handle<> awaiting) noexcept {
    self.resume();
    if (self.done()) return false;
    continuation_ = awaiting;
    return true;
  }

 protected:
  void rethrow() {
    if (exception_) [[unlikely]]
      std::rethrow_exception(std::move(exception_));
  }

 private:
  std::coroutine_handle<> continuation_ = std::noop_coroutine();
  std::exception_ptr exception_;
};

template <class T>
class TaskPromise final : public TaskPromiseBase {
  static_assert(std::is_object_v<T>, "a Task gives a value or void, not a reference");

 public:
  Task<T> get_return_object() noexcept;
  template <class U>
    requires std::is_constructible_v<T, U&&>
  void return_value(U&& value) {
    value_.emplace(std::forward<U>(value));
  }
  void return_value(T&& value) { value_.emplace(std::move(value)); }  // For `co_return {...}`.
  T take() {
    rethrow();
    if (!value_) std::terminate();  // It ran off its end without a co_return.
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class TaskPromise<void> final : public TaskPromiseBase {
 public:
  Task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void take() { rethrow(); }
};

}  // namespace detail

/// `co_await std::move(task)`, or of the call itself, gives the T or throws what the coroutine threw.
template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::TaskPromise<T>;
  using value_type = T;

  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~Task() {
    if (frame_) frame_.destroy();
  }

  /// The awaiter owns the coroutine from here on: it is gone when the whole expression has ended.
  auto operator co_await() && noexcept {
    struct Awaiter {
      Task task;
      bool await_ready() const {
        detail::throw_if_cancelled();
        return false;
      }
      bool await_suspend(std::coroutine_handle<> awaiting) noexcept {
        return task.frame_.promise().start(task.frame_, awaiting);
      }
      T await_resume() { return task.frame_.promise().take(); }
    };
    return Awaiter{std::move(*this)};
  }

 private:
  friend promise_type;
  explicit Task(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
  std::coroutine_handle<promise_type> frame_;  // Null after a move.
};

template <class T>
Task<T> detail::TaskPromise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}
inline Task<void> detail::TaskPromise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

namespace detail {

template <class T>
inline constexpr bool is_task = false;
template <class T>
inline constexpr bool is_task<Task<T>> = true;

/// The return type of a root coroutine: it runs at once, belongs to nobody and frees itself at its end.
/// Its body awaits a handler's Task and catches all that comes out of it.
struct Detached {
  struct promise_type : PooledFrame {
    Detached get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
  };
};

}  // namespace detail
}  // namespace millrace
