// parts.hpp: what mr::Stream and mr::Body ask of the engine, and the awaiters between.
#pragma once

#include <millrace/detail/scope.hpp>
#include <millrace/namespace.hpp>

#include <coroutine>
#include <cstdint>
#include <string_view>

namespace millrace {

class Request;
class Response;

namespace detail {

/// A wait for room in the output, or for a part of the request's body.
struct PartWaiter : Waiter {
  const Request* request = nullptr;
};

/// Starts a streamed reply. Null, or what is wrong: then nothing was sent.
const char* stream_begin(const Request& request, const Response& head, std::uint64_t length_bytes) noexcept;

enum class PartWrite : std::uint8_t { done, wait, ended, too_long };
PartWrite stream_write(const Request& request, std::string_view bytes) noexcept;
/// Null, or what is wrong with the field.
const char* stream_trailer(const Request& request, std::string_view name, std::string_view value) noexcept;
void stream_end(const Request& request) noexcept;
/// Sent whenever the stream was silent for `idle_ns`; `text` lives as long as the request.
void stream_idle_text(const Request& request, std::string_view text, std::uint64_t idle_ns) noexcept;
/// Suspends until what was written has been taken.
void await_room(PartWaiter& waiter, std::coroutine_handle<> handle) noexcept;

enum class PartRead : std::uint8_t { bytes, end, wait, no_memory };
/// The next part of the body.
PartRead body_next(const Request& request, std::string_view& part) noexcept;
/// The whole body.
PartRead body_collect(const Request& request, std::string_view& body) noexcept;
/// Suspends until there is more of the body, or, while it is collected, all of it.
void await_body(PartWaiter& waiter, std::coroutine_handle<> handle) noexcept;

/// True once the client has left: an operation that would wait must not, its co_await throws.
inline bool scope_cancelled() noexcept {
  const Scope* scope = current_scope();
  return scope != nullptr && scope->cancelled;
}

}  // namespace detail
}  // namespace millrace
