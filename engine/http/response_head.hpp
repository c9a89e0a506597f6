// response_head.hpp: the head of a response, as a client reads it: from bytes to spans. Nothing is copied.
//
//   bytes -> read_response_head() -> ResponseHead -> read_response_framing() -> how the body ends
//
// Strict where a lenient reader and a lenient server could be played against each other: no bare LF, no
// folded lines, no white space before a colon, one Content-Length, never two framings.
// Source: RFC 9112 sections 4, 5 and 6.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/base/result.hpp"
#include "engine/http/head.hpp"

namespace millrace::http {

/// `fields` points to the caller's table of `fields_max`; the rest is written by read_response_head().
/// Valid while the bytes at `base` stay; the bytes may be moved if `base` is moved with them.
struct ResponseHead {
  const char* base = nullptr;  ///< First byte of the status line.
  Field* fields = nullptr;
  std::uint16_t fields_max = 0;
  std::uint16_t field_count = 0;
  std::uint16_t size = 0;    ///< Bytes from base to behind the last CRLF.
  std::uint16_t status = 0;  ///< 100 to 599.
  std::uint16_t reason_at = 0;
  std::uint16_t reason_size = 0;   ///< Often 0: nobody needs the phrase.
  std::uint8_t version_minor = 1;  ///< 0 to 9.

  std::string_view reason() const noexcept { return {base + reason_at, reason_size}; }
  std::string_view name(const Field& field) const noexcept { return {base + field.name_at, field.name_size}; }
  std::string_view value(const Field& field) const noexcept {
    return {base + field.value_at, field.value_size};
  }
};

/// Reads the head at the front of `bytes`, which may be cut anywhere.
/// Returns  ok;
///          need_more        no verdict yet: call again with more bytes;
///          bad_status_line  not HTTP/1.x, or no status of three digits from 100 to 599;
///          bad_field_name, bad_field_value, bad_line_end, obsolete_fold;
///          fields_too_many, head_too_large (more than head_bytes_ceiling).
/// O(bytes of the head); never allocates. Thread-safe.
Error read_response_head(std::string_view bytes, ResponseHead& head) noexcept;

enum class ResponseBody : std::uint8_t { none, length, chunked, until_close };

struct ResponseFraming {
  std::uint64_t content_length = 0;  ///< For ResponseBody::length: > 0 (a length of 0 is `none`).
  ResponseBody body = ResponseBody::none;
  bool keep_alive = true;  ///< RFC 9112 section 9.3; false for until_close.
};

/// How the body of the answer to a request of that method ends (RFC 9112 section 6.3).
/// Returns ok, or bad_content_length (invalid, repeated, or beside Transfer-Encoding), or
/// bad_transfer_encoding (chunked twice or not last, or in HTTP/1.0). The connection must close then.
/// O(bytes of the fields it reads); never allocates. Thread-safe.
Error read_response_framing(const ResponseHead& head, Method method, ResponseFraming& framing) noexcept;

}  // namespace millrace::http
