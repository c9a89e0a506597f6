// bridge.hpp: the functions between the public templates and the engine. Templates in the public
// headers turn a handler into an Entry; the engine calls Entry::start and knows no type of the user's.
#pragma once

#include <millrace/detail/argument.hpp>
#include <millrace/request.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace millrace {
class Next;
class Reply;
class Response;
struct FilesOptions;
struct Outcome;
template <class T>
class Task;
}  // namespace millrace

namespace millrace::serve {
struct GroupState;
class AppState;
class Output;
}  // namespace millrace::serve

namespace millrace::detail {

struct FixedBytes;

/// A type-erased handler.
struct Entry {
  /// Runs it. Never throws: the trampoline behind it catches and calls reply_failed(). A synchronous
  /// handler has replied on return; an asynchronous one calls finished() when its coroutine ends.
  void (*start)(void* self, Request& request) noexcept = nullptr;
  void (*destroy)(void* self) noexcept = nullptr;
  void* self = nullptr;
  bool asynchronous = false;
  /// Asynchronous, and may read the body in parts: it starts with the request's head.
  bool reads_parts = false;
  /// Asynchronous, and its reply may switch protocols.
  bool switches = false;
  /// One check a path parameter, in order, up to the last one that needs any; for as long as the program runs.
  std::span<const ParameterCheck> checks = {};
};

/// A type-erased maker of an error's page.
struct ErrorPage {
  /// False where it failed itself. Null: none.
  bool (*make)(void* self, Request& request, Response& out) noexcept = nullptr;
  void (*destroy)(void* self) noexcept = nullptr;
  void* self = nullptr;
};

/// A type-erased handler of one type of exception.
struct ExceptionPage {
  enum class Outcome : std::uint8_t { other_type, made, failed };
  /// Called while an exception is handled.
  Outcome (*make)(void* self, Request& request, Response& out) noexcept = nullptr;
  void (*destroy)(void* self) noexcept = nullptr;
  void* self = nullptr;
};

/// Its address is the kind of one type's middleware.
template <class M>
inline constexpr char kind_tag = 0;

/// A type-erased middleware: any of before, after and done; or around alone.
struct Middleware {
  /// False: it has answered, and nothing further in runs. Never throws, nor does after().
  bool (*before)(void* self, Request& request) noexcept = nullptr;
  void (*after)(void* self, Request& request, Reply& reply) noexcept = nullptr;
  /// The handler has ended, and the reply, if there was one, has been handed over.
  void (*done)(void* self, Request& request, const Outcome& outcome) noexcept = nullptr;
  Task<Response> (*around)(void* self, Request& request, Next next) = nullptr;
  /// With around: starts the coroutine that runs the whole chain, and calls finished() at its end.
  void (*start_chain)(Request& request) noexcept = nullptr;
  // Or a limit alone. 0: none.
  std::uint64_t timeout_ns = 0;
  std::uint64_t body_bytes_max = 0;

  /// What it writes to, which the server opens; null: nothing.
  serve::Output* output = nullptr;

  /// Of two of the same kind the inner one counts, in the outer one's place. Null: of none, all count. One that
  /// has a kind and nothing else leaves the outer one out.
  const void* kind = nullptr;

  void (*destroy)(void* self) noexcept = nullptr;
  void* self = nullptr;
};

/// Answers 200 with a text (text/plain; charset=utf-8). Copies `body` before it returns.
void reply_text(Request& request, std::string_view body) noexcept;
/// Answers with a response; takes its parts.
void reply(Request& request, Response&& response) noexcept;
/// Answers with a reply that was made before.
void reply_fixed(Request& request, const FixedBytes& fixed) noexcept;
/// Answers 500 by the application's error handler; `what` (may be null) goes to the log, not to the client.
void reply_failed(Request& request, const char* what) noexcept;
/// Answers with an error status (400 for a bad body or query, ...), `message` being the body's text.
void reply_error(Request& request, std::uint16_t status, std::string_view message) noexcept;
/// The handlers of exceptions that the application has.
std::span<const ExceptionPage> exception_pages(const Request& request) noexcept;
/// Writes what a handler of errors threw to the log.
void log_failure(const Request& request, const char* what) noexcept;
/// The end of an asynchronous handler's coroutine, after its reply or its cancellation.
void finished(Request& request) noexcept;
/// A handler that gives nothing has ended: completes its stream, or answers 204 where there is none.
void reply_nothing(Request& request) noexcept;
/// True where the reply is a stream, perhaps a complete one: nothing else can be answered.
bool streams(const Request& request) noexcept;
/// What a handler gave or threw (`what`, for the log) once it streamed: the reply cannot be completed.
void cut_stream(Request& request, const char* what) noexcept;
/// True once the client's reply has begun, whatever it is: nothing else can be answered.
bool replied(const Request& request) noexcept;
/// True once the client has left: do not reply.
bool cancelled(const Request& request) noexcept;

// How App fills its state. Each takes ownership of `self`.
void add_route(serve::GroupState& group, std::string_view method, std::string_view pattern,
               const Entry& entry, std::span<const Middleware> middleware);
void add_files(serve::GroupState& group, std::string_view path, const std::string& directory,
               const FilesOptions& options);
void use(serve::GroupState& group, const Middleware& middleware);
/// Owned by the application of `group`, which it is inside of.
serve::GroupState& add_group(serve::GroupState& group, std::string_view prefix);
void add_error_page(serve::AppState& state, unsigned status, const ErrorPage& page);
void add_exception_page(serve::AppState& state, const ExceptionPage& page);

}  // namespace millrace::detail
