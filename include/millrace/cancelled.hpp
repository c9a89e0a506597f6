// cancelled.hpp: how a coroutine learns that its client has left.
#pragma once

#include <millrace/detail/scope.hpp>
#include <millrace/namespace.hpp>

namespace millrace {

/// Thrown by a co_await of the engine's once the client has left or the server stops: by the one under
/// way, and by every later one. Let it pass: locals are destroyed, the request ends, no reply is sent.
/// Not derived from std::exception, so that a `catch (const std::exception&)` around an operation
/// that may fail does not take it for such a failure.
struct Cancelled {};

namespace detail {

/// Throws Cancelled where the coroutine that runs now belongs to a request whose client has left.
inline void throw_if_cancelled() {
  const Scope* scope = current_scope();
  if (scope != nullptr && scope->cancelled) [[unlikely]]
    throw Cancelled{};
}

}  // namespace detail
}  // namespace millrace
