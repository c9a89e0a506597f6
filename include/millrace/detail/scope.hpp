// scope.hpp: where a request's coroutine waits, so that it can be cancelled when the client leaves.
//
//   co_await -> Waiter in the awaiter, known to its Scope -> operation ends or is cancelled
//            -> the scheduler's queue -> resumed there, and nowhere else
//
// Lifetime    a Scope lives with its exchange, until the outermost coroutine has ended. A Waiter lives
//             in a suspended coroutine's frame, and frames of suspended coroutines are never
//             destroyed: they are resumed, and unwind. So neither the queue nor a timer can dangle.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>

namespace millrace::detail {

struct Scope;

/// Something a coroutine waits for. Lives in the coroutine's frame, in an awaiter.
struct Waiter {
  std::coroutine_handle<> handle;
  Scope* scope = nullptr;
  Waiter* next_ready = nullptr;                     ///< The scheduler's queue.
  void (*cancel)(Waiter& self) noexcept = nullptr;  ///< Stops the operation; the scheduler resumes.
};

/// One request's chain of coroutines. At most one waiter at a time, because a chain is sequential.
struct Scope {
  Waiter* waiter = nullptr;  ///< Whose operation is under way; null once it is queued to go on.
  bool cancelled = false;    ///< The client left: every co_await ends with mr::Cancelled.
};

/// The scope whose coroutine runs now on this thread; null outside of one.
Scope* current_scope() noexcept;

/// Memory for a coroutine frame, from the core's own free lists, or from the allocator on a thread that
/// is no core's. Never null: aborts when memory is out.
void* frame_allocate(std::size_t size_bytes) noexcept;
/// size_bytes as given to frame_allocate(). On the same core, or on no core's thread at all.
void frame_release(void* frame, std::size_t size_bytes) noexcept;

/// A sleep: Waiter first, then the engine's timer.
struct SleepWaiter : Waiter {
  alignas(std::uint64_t) unsigned char timer[48];
};
/// Suspends `handle` for `duration_ns`; 0 until the scheduler's next round. The scheduler resumes it,
/// from its queue. Only within a scope.
void sleep_start(SleepWaiter& waiter, std::coroutine_handle<> handle, std::uint64_t duration_ns) noexcept;

}  // namespace millrace::detail
