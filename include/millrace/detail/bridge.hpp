// bridge.hpp: the functions between the public templates and the engine. Templates in the public
// headers turn a handler into an Entry; the engine calls Entry::start and knows no type of the user's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <millrace/request.hpp>

namespace mr {
class Response;
}

namespace mr::detail {

/// A type-erased handler.
struct Entry {
  /// Runs it. Never throws: the trampoline behind it catches and calls reply_failed(). A synchronous
  /// handler has replied on return; an asynchronous one calls finished() when its coroutine ends.
  void (*start)(void* self, Request& request) noexcept = nullptr;
  void (*destroy)(void* self) noexcept = nullptr;
  void* self = nullptr;
  bool asynchronous = false;
};

/// Answers 200 with a text. Copies `body` before it returns.
void reply_text(Request& request, std::string_view body, std::string_view content_type) noexcept;
/// Answers with a response; takes its parts.
void reply(Request& request, Response&& response) noexcept;
/// Answers 500 by the application's error handler; `what` (may be null) goes to the log, not to the client.
void reply_failed(Request& request, const char* what) noexcept;
/// Answers with an error status (400 for a bad body or query, ...), `message` being the body's text.
void reply_error(Request& request, std::uint16_t status, std::string_view message) noexcept;
/// The end of an asynchronous handler's coroutine, after its reply or its cancellation.
void finished(Request& request) noexcept;
/// True once the client has left: do not reply.
bool cancelled(const Request& request) noexcept;

}  // namespace mr::detail
