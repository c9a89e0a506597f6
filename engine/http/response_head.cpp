#include "engine/http/response_head.hpp"

#include <algorithm>

#include "engine/http/char_class.hpp"
#include "engine/http/framing.hpp"
#include "engine/http/list.hpp"
#include "engine/http/match.hpp"

namespace millrace::http {
namespace {

constexpr Error need_more{Errc::need_more};

/// Walks the bytes of one head; every step fits 16 bits, because there are no more than the ceiling.
struct Walk {
  std::string_view bytes;
  bool at_ceiling;  ///< Running out of bytes means that the head is too large.
  std::size_t at = 0;

  bool more() const noexcept { return at != bytes.size(); }
  char peek() const noexcept { return bytes[at]; }
  Error out_of_bytes() const noexcept { return at_ceiling ? Error{Errc::head_too_large} : need_more; }
  void skip(std::uint8_t bits, bool wanted) noexcept {
    while (more() && is_class(peek(), bits) == wanted) ++at;
  }
  void skip_blanks() noexcept {
    while (more() && (peek() == ' ' || peek() == '\t')) ++at;
  }
  Error line_end() noexcept {
    if (!more()) return out_of_bytes();
    if (peek() != '\r') return {Errc::bad_line_end};
    if (at + 1 == bytes.size()) return out_of_bytes();
    if (bytes[at + 1] != '\n') return {Errc::bad_line_end};
    at += 2;
    return {};
  }
};

std::uint16_t short_of(std::size_t value) noexcept { return static_cast<std::uint16_t>(value); }

/// HTTP-version SP status-code SP [ reason-phrase ]; the second space is missed by too many to insist on.
Error read_status_line(Walk& walk, ResponseHead& head) noexcept {
  constexpr std::string_view shape = "HTTP/1.d ddd";
  for (std::size_t i = 0; i != shape.size(); ++i) {
    if (i == walk.bytes.size()) return walk.out_of_bytes();
    const char byte = walk.bytes[i];
    if (shape[i] == 'd' ? !is_class(byte, char_class::digit) : byte != shape[i])
      return {Errc::bad_status_line};
    if (i == 9 && (byte < '1' || byte > '5')) return {Errc::bad_status_line};
  }
  const auto digit = [&walk](std::size_t i) { return walk.bytes[i] - '0'; };
  head.version_minor = static_cast<std::uint8_t>(digit(7));
  head.status = static_cast<std::uint16_t>(digit(9) * 100 + digit(10) * 10 + digit(11));
  walk.at = shape.size();
  if (walk.more() && walk.peek() != ' ' && walk.peek() != '\r') return {Errc::bad_status_line};
  if (walk.more() && walk.peek() == ' ') ++walk.at;
  head.reason_at = short_of(walk.at);
  walk.skip(char_class::control, false);
  head.reason_size = short_of(walk.at - head.reason_at);
  return walk.line_end();
}

Error read_field(Walk& walk, Field& field) noexcept {
  field.name_at = short_of(walk.at);
  walk.skip(char_class::token, true);
  field.name_size = short_of(walk.at - field.name_at);
  if (!walk.more()) return walk.out_of_bytes();
  if (walk.peek() != ':' || field.name_size == 0) {
    const bool folded = field.name_size == 0 && (walk.peek() == ' ' || walk.peek() == '\t');
    return {folded ? Errc::obsolete_fold : Errc::bad_field_name};
  }
  ++walk.at;
  walk.skip_blanks();
  field.value_at = short_of(walk.at);
  walk.skip(char_class::control, false);
  std::size_t end = walk.at;
  while (end > field.value_at && (walk.bytes[end - 1] == ' ' || walk.bytes[end - 1] == '\t')) --end;
  field.value_size = short_of(end - field.value_at);
  if (walk.more() && walk.peek() != '\r' && walk.peek() != '\n') return {Errc::bad_field_value};
  return walk.line_end();
}

/// What the fields said, before the rules that need all of them.
struct Said {
  bool length = false;
  bool coding = false;
  bool chunked = false;  ///< The last coding so far.
  bool close = false;
  bool keep_alive = false;
};

/// Several lines are one list (RFC 9110 section 5.3); behind chunked nothing may come.
Error read_codings(std::string_view value, Said& said) noexcept {
  said.coding = true;
  ListReader list(value);
  for (std::string_view coding; list.next(coding);) {
    if (coding.empty() || said.chunked) return {Errc::bad_transfer_encoding};
    said.chunked = equal_ignoring_case(coding, "chunked");
  }
  return {};
}

Error read_known_field(std::string_view name, std::string_view value, Said& said,
                       ResponseFraming& framing) noexcept {
  if (matches_lower(name, "content-length")) {
    if (said.length) return {Errc::bad_content_length};
    said.length = true;
    return {read_content_length(value, framing.content_length).code};
  }
  if (matches_lower(name, "transfer-encoding")) return read_codings(value, said);
  if (matches_lower(name, "connection")) {
    said.close = said.close || list_has(value, "close");
    said.keep_alive = said.keep_alive || list_has(value, "keep-alive");
  }
  return {};
}

/// RFC 9110 sections 6.4.1 and 9.3.6: whatever the fields say, nothing follows these heads.
bool never_has_body(std::uint16_t status, Method method) noexcept {
  return method == Method::head || status < 200 || status == 204 || status == 304 ||
         (method == Method::connect && status < 300);
}

}  // namespace

Error read_response_head(std::string_view bytes, ResponseHead& head) noexcept {
  head.base = bytes.data();
  head.field_count = 0;
  const bool at_ceiling = bytes.size() >= head_bytes_ceiling;
  Walk walk{bytes.substr(0, head_bytes_ceiling), at_ceiling};
  if (const Error error = read_status_line(walk, head); error.failed()) return error;
  for (;;) {
    if (!walk.more()) return walk.out_of_bytes();
    if (walk.peek() == '\r') break;
    if (head.field_count == head.fields_max) return {Errc::fields_too_many};
    if (const Error error = read_field(walk, head.fields[head.field_count]); error.failed()) return error;
    ++head.field_count;
  }
  if (const Error error = walk.line_end(); error.failed()) return error;
  head.size = short_of(walk.at);
  return {};
}

Error read_response_framing(const ResponseHead& head, Method method, ResponseFraming& framing) noexcept {
  framing = {};
  Said said;
  for (const Field* field = head.fields; field != head.fields + head.field_count; ++field) {
    const Error error = read_known_field(head.name(*field), head.value(*field), said, framing);
    if (error.failed()) return error;
  }
  if (said.coding && head.version_minor == 0) return {Errc::bad_transfer_encoding};
  if (said.coding && said.length) return {Errc::bad_content_length};
  framing.keep_alive = !said.close && (head.version_minor != 0 || said.keep_alive);
  if (never_has_body(head.status, method)) {
    framing.content_length = 0;
  } else if (said.chunked) {
    framing.body = ResponseBody::chunked;
  } else if (said.coding || !said.length) {
    framing.body = ResponseBody::until_close;
    framing.keep_alive = false;
  } else if (framing.content_length != 0) {
    framing.body = ResponseBody::length;
  }
  return {};
}

}  // namespace millrace::http
