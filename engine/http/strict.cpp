// strict.cpp: the grammar of a head, line by line, with the status each fault must give. llhttp gives
// a second opinion on what passes (strict_llhttp.cpp); the checks here hold without it.
//
// One cursor walks the bytes. Running out of them is need_more, or, where the limit is what it ran
// into, the limit's status for the place it stands at.
#include "engine/http/strict.hpp"

#include <algorithm>

#include "engine/http/char_class.hpp"
#include "engine/http/head_parser.hpp"

namespace millrace::http {

namespace {

constexpr unsigned empty_lines_max = 8;

constexpr Error refuse(Errc code, std::uint16_t status = 400) noexcept { return {code, status}; }

struct Cursor {
  const char* base;
  std::size_t at;
  std::size_t size;  ///< Bytes that may be read, held to the limit.
  bool at_limit;     ///< What running out means: the limit is reached, or more bytes may come.

  bool more() const noexcept { return at < size; }
  char peek() const noexcept { return base[at]; }
  Error out_of_bytes(Errc limit, std::uint16_t status) const noexcept {
    return at_limit ? refuse(limit, status) : Error{Errc::need_more};
  }
};

/// RFC 9112 section 2.2: a server should ignore an empty line before a request; a flood is refused.
Error skip_empty_lines(const char* data, std::size_t size, std::size_t& at) noexcept {
  unsigned lines = 0;
  for (at = 0; at < size && (data[at] == '\r' || data[at] == '\n'); at += 2) {
    if (data[at] == '\n') return refuse(Errc::bad_line_end);
    if (++lines > empty_lines_max) return refuse(Errc::bad_request_line);
    if (at + 1 == size) return {Errc::need_more};
    if (data[at + 1] != '\n') return refuse(Errc::bad_line_end);
  }
  return at == size ? Error{Errc::need_more} : Error{};
}

Error read_method(Cursor& cursor, Head& head) noexcept {
  for (; cursor.more(); ++cursor.at) {
    if (cursor.peek() == ' ') {
      if (cursor.at == 0) return refuse(Errc::bad_method);
      head.method_size = static_cast<std::uint16_t>(cursor.at);
      head.method = method_from(head.method_text());
      ++cursor.at;
      return {};
    }
    if (!is_class(cursor.peek(), char_class::token)) return refuse(Errc::bad_method);
    if (cursor.at == method_bytes_max) return refuse(Errc::method_unknown, 501);
  }
  return cursor.out_of_bytes(Errc::method_unknown, 501);
}

/// Walks bytes of one class. Running out is the caller's to see.
void skip(Cursor& cursor, std::uint8_t bits) noexcept {
  std::size_t at = cursor.at;
  while (at < cursor.size && is_class(cursor.base[at], bits)) ++at;
  cursor.at = at;
}
/// Walks the bytes of a field's value, up to a control.
void skip_value(Cursor& cursor) noexcept {
  std::size_t at = cursor.at;
  while (at < cursor.size && !is_class(cursor.base[at], char_class::control)) ++at;
  cursor.at = at;
}

/// "http://" or "https://", any case (RFC 9110 section 4.2). False on a byte that cannot belong to it.
bool skip_scheme(Cursor& cursor) noexcept {
  constexpr std::string_view scheme = "http";
  constexpr std::string_view tail = "://";
  for (const char want : scheme) {
    if (!cursor.more()) return true;
    if ((cursor.peek() | 0x20) != want) return false;
    ++cursor.at;
  }
  if (cursor.more() && (cursor.peek() | 0x20) == 's') ++cursor.at;
  for (const char want : tail) {
    if (!cursor.more()) return true;
    if (cursor.peek() != want) return false;
    ++cursor.at;
  }
  return true;
}

/// The characters of the four forms of RFC 9112 section 3.2, up to the space.
Error read_target(Cursor& cursor, Head& head) noexcept {
  head.target_at = static_cast<std::uint16_t>(cursor.at);
  if (!cursor.more()) return cursor.out_of_bytes(Errc::target_too_long, 414);
  if (head.method == Method::connect) {
    skip(cursor, char_class::authority);
  } else if (cursor.peek() == '*') {
    ++cursor.at;  // Whose method it may have is judged with the whole line: "PRI * HTTP/2.0" is a 505.
  } else {
    if (cursor.peek() != '/') {
      if (!skip_scheme(cursor)) return refuse(Errc::bad_target);
      skip(cursor, char_class::authority);
    }
    if (cursor.more() && cursor.peek() == '/') skip(cursor, char_class::path);
    if (cursor.more() && cursor.peek() == '?') skip(cursor, char_class::query);
  }
  if (!cursor.more()) return cursor.out_of_bytes(Errc::target_too_long, 414);
  const std::size_t bytes = cursor.at - head.target_at;
  if (cursor.peek() != ' ' || bytes == 0) return refuse(Errc::bad_target);
  head.target_size = static_cast<std::uint16_t>(bytes);
  head.plain_size = static_cast<std::uint16_t>(std::min(head.target().find_first_of("?%"), bytes));
  ++cursor.at;
  return {};
}

/// RFC 9112 section 2.3: HTTP-name "/" DIGIT "." DIGIT, then the end of the line.
Error read_version(Cursor& cursor, Head& head) noexcept {
  constexpr std::string_view shape = "HTTP/d.d\r\n";
  const std::size_t start = cursor.at;
  for (const char want : shape) {
    if (!cursor.more()) return cursor.out_of_bytes(Errc::target_too_long, 414);
    const char got = cursor.peek();
    if (want == 'd' ? !is_class(got, char_class::digit) : got != want) {
      return refuse(want == '\n' ? Errc::bad_line_end : Errc::bad_version);
    }
    ++cursor.at;
  }
  if (cursor.base[start + 5] != '1') return refuse(Errc::version_unsupported, 505);
  head.version_minor = cursor.base[start + 7] == '0' ? 0 : 1;
  if (cursor.base[head.target_at] == '*' && head.method != Method::options) return refuse(Errc::bad_target);
  return {};
}

Error read_field(Cursor& cursor, Field& field) noexcept {
  const std::size_t name_at = cursor.at;
  skip(cursor, char_class::token);
  if (!cursor.more()) return cursor.out_of_bytes(Errc::head_too_large, 431);
  if (cursor.peek() != ':' || cursor.at == name_at) return refuse(Errc::bad_field_name);
  const std::size_t name_end = cursor.at++;
  while (cursor.more() && (cursor.peek() == ' ' || cursor.peek() == '\t')) ++cursor.at;
  const std::size_t value_at = cursor.at;
  skip_value(cursor);
  if (!cursor.more()) return cursor.out_of_bytes(Errc::head_too_large, 431);
  if (cursor.peek() == '\n') return refuse(Errc::bad_line_end);
  if (cursor.peek() != '\r') return refuse(Errc::bad_field_value);
  std::size_t value_end = cursor.at++;
  if (!cursor.more()) return cursor.out_of_bytes(Errc::head_too_large, 431);
  if (cursor.peek() != '\n') return refuse(Errc::bad_line_end);
  ++cursor.at;
  while (value_end > value_at && (cursor.base[value_end - 1] == ' ' || cursor.base[value_end - 1] == '\t')) {
    --value_end;
  }
  field = {static_cast<std::uint16_t>(name_at), static_cast<std::uint16_t>(name_end - name_at),
           static_cast<std::uint16_t>(value_at), static_cast<std::uint16_t>(value_end - value_at)};
  return {};
}

/// Field lines up to the empty line.
Error read_fields(Cursor& cursor, unsigned fields_max, Head& head) noexcept {
  for (head.field_count = 0;; ++head.field_count) {
    if (!cursor.more()) return cursor.out_of_bytes(Errc::head_too_large, 431);
    const char first = cursor.peek();
    if (first == '\r') break;
    if (first == '\n') return refuse(Errc::bad_line_end);
    if (first == ' ' || first == '\t') return refuse(Errc::obsolete_fold);  // RFC 9112 section 5.2.
    if (!is_class(first, char_class::token)) return refuse(Errc::bad_field_name);
    if (head.field_count == fields_max) return refuse(Errc::fields_too_many, 431);
    if (const Error error = read_field(cursor, head.fields[head.field_count]); error.failed()) return error;
  }
  ++cursor.at;
  if (!cursor.more()) return cursor.out_of_bytes(Errc::head_too_large, 431);
  if (cursor.peek() != '\n') return refuse(Errc::bad_line_end);
  ++cursor.at;
  head.size = static_cast<std::uint16_t>(cursor.at);
  return {};
}

}  // namespace

Error parse_head_strict(const char* data, std::size_t size, const HeadLimits& limits, Head& head) noexcept {
  MR_ASSERT(limits.bytes_max <= head_bytes_ceiling);
  std::size_t start = 0;
  if (const Error error = skip_empty_lines(data, size, start); error.failed()) return error;
  head.base = data + start;
  const std::size_t bytes = size - start;
  // At the limit and not complete is over it: a head's last byte would have to come after.
  const bool at_limit = bytes >= limits.bytes_max;
  Cursor cursor{head.base, 0, std::min<std::size_t>(bytes, limits.bytes_max), at_limit};
  if (const Error error = read_method(cursor, head); error.failed()) return error;
  if (const Error error = read_target(cursor, head); error.failed()) return error;
  if (const Error error = read_version(cursor, head); error.failed()) return error;
  const unsigned fields_max = std::min(limits.fields_max, head.fields_max);
  if (const Error error = read_fields(cursor, fields_max, head); error.failed()) return error;
  return llhttp_agrees(head) ? Error{} : refuse(Errc::bad_request_line);
}

}  // namespace millrace::http
