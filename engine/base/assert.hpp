// assert.hpp: checks for what only a bug can break. What a peer, the kernel or a configuration can
// cause is an Error (result.hpp), never an assert.
#pragma once

namespace millrace {

/// Prints `file:line: what` to standard error and aborts. Never returns, never allocates.
[[noreturn]] void assert_failed(const char* what, const char* file, int line) noexcept;

}  // namespace millrace

/// Cheap check, on in release too.
#define MR_ASSERT(condition)                         \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? static_cast<void>(0)                        \
       : ::millrace::assert_failed(#condition, __FILE__, __LINE__))

/// O(n) check, on in debug builds only; the condition is compiled everywhere.
#ifdef NDEBUG
#define MR_DASSERT(condition) static_cast<void>(sizeof(static_cast<bool>(condition)))
#else
#define MR_DASSERT(condition) MR_ASSERT(condition)
#endif

/// A place no input can reach; `why` says what kept us from it.
#define MR_UNREACHABLE(why) ::millrace::assert_failed("unreachable: " why, __FILE__, __LINE__)
