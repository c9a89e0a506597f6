// stream.hpp: a reply written in parts, by a coroutine.
//
//   app.get("/big", [](mr::Request& request) -> mr::Task<> {
//     auto out = request.stream("text/plain");
//     for (int i = 0; i < 1000; ++i) co_await out.write("chunk");  // suspends while the client is slow
//   });
//
// Framing     chunked (RFC 9112 section 7.1), or by a length that was declared; to a client of HTTP/1.0
//             without a length, up to the close of the connection.
// Order       a stream behind other replies of its connection waits for them, and those behind wait for it.
// Memory      256 KiB of a connection's output at most, and a block of 64 KiB beyond; 16 KiB of it while earlier
//             replies are not complete. Past that write() suspends.
// The end     is the end of the handler. One that throws once it streams cuts the connection, so that the
//             client cannot take what it got for whole; so does one that writes less than it declared.
#pragma once

#include <millrace/detail/parts.hpp>
#include <millrace/namespace.hpp>
#include <millrace/request.hpp>
#include <millrace/response.hpp>

#include <coroutine>
#include <cstdint>
#include <stdexcept>
#include <string_view>

#ifdef __cpp_exceptions
#include <millrace/cancelled.hpp>
#endif

namespace millrace {

/// A stream whose length nobody knows beforehand.
inline constexpr std::uint64_t length_unknown = ~std::uint64_t{0};

#ifdef __cpp_exceptions

namespace detail {

class [[nodiscard]] WritePart {
 public:
  WritePart(const Request& request, std::string_view bytes) noexcept : bytes_(bytes) {
    waiter_.request = &request;
  }
  WritePart(const WritePart&) = delete;
  WritePart& operator=(const WritePart&) = delete;

  bool await_ready() {
    throw_if_cancelled();
    switch (stream_write(*waiter_.request, bytes_)) {
      case PartWrite::done: return true;
      case PartWrite::wait: return scope_cancelled();
      case PartWrite::ended: throw std::logic_error("a stream was written to after its end or its trailers");
      case PartWrite::too_long: throw std::length_error("a stream got more bytes than were declared");
    }
    return true;
  }
  void await_suspend(std::coroutine_handle<> handle) noexcept { await_room(waiter_, handle); }
  void await_resume() const { throw_if_cancelled(); }

 private:
  PartWaiter waiter_;
  std::string_view bytes_;
};

}  // namespace detail

/// A handle on the streamed reply of a request; valid as long as the request. Made by Request::stream().
class Stream {
 public:
  /// Of Request::stream() and its like.
  Stream(const Request& request, const Response& head, std::uint64_t length_bytes) : request_(&request) {
    if (const char* problem = detail::stream_begin(request, head, length_bytes))
      throw std::logic_error(problem);
  }

  /// `co_await`: hands over all of `bytes`, which must stay until then; suspends while the client is slower
  /// than the handler. Nothing for an empty part. Throws Cancelled when the client has left,
  /// std::length_error past the declared length, std::logic_error behind a trailer.
  detail::WritePart write(std::string_view bytes) const noexcept { return {*request_, bytes}; }

  /// Ends the content, and adds a trailer field (RFC 9110 section 6.5). Only a reply in chunks has trailers:
  /// to a client of HTTP/1.0, or with a declared length, it is left out. Throws std::logic_error for an
  /// invalid field, or one that may not be a trailer (framing, routing, authentication...).
  void trailer(std::string_view name, std::string_view value) const {
    if (const char* problem = detail::stream_trailer(*request_, name, value)) throw std::logic_error(problem);
  }

  /// The reply is complete, before the handler is. Called again it does nothing.
  void end() const noexcept { detail::stream_end(*request_); }

 private:
  const Request* request_;
};

inline Stream Request::stream(std::string_view content_type, std::uint64_t length_bytes) const {
  return {*this, Response().content_type(content_type), length_bytes};
}
inline Stream Request::stream(const char* content_type, std::uint64_t length_bytes) const {
  return stream(std::string_view(content_type), length_bytes);
}
inline Stream Request::stream(const Response& head, std::uint64_t length_bytes) const {
  return {*this, head, length_bytes};
}

#endif

}  // namespace millrace
