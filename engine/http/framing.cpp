#include "engine/http/framing.hpp"

#include <array>
#include <cstring>

#include "engine/http/char_class.hpp"
#include "engine/http/list.hpp"

namespace mr::http {

namespace {

constexpr Error refuse(Errc code, std::uint16_t status = 400) noexcept { return {code, status}; }

/// The fields that decide about the message; the rest are not looked at.
enum class Known : std::uint8_t {
  none,
  host,
  connection,
  content_length,
  transfer_encoding,
  expect,
  upgrade
};

std::uint32_t first_four(const char* name) noexcept {
  std::uint32_t word;
  std::memcpy(&word, name, sizeof word);
  return word | 0x20202020u;
}
constexpr std::uint32_t four(const char (&text)[5]) noexcept {
  // Little-endian or big: compared with what memcpy gave, so both sides go through the same order.
  return __builtin_bit_cast(std::uint32_t, std::array<char, 4>{text[0], text[1], text[2], text[3]});
}

/// Length first: most fields end there, after one comparison.
Known identify(std::string_view name) noexcept {
  switch (name.size()) {
    case 4:  // Setting bit 5 maps only upper and lower case of a letter to that letter.
      return first_four(name.data()) == four("host") ? Known::host : Known::none;
    case 6:
      return first_four(name.data()) == four("expe") && equal_ignoring_case(name, "expect") ? Known::expect
                                                                                            : Known::none;
    case 7:
      return first_four(name.data()) == four("upgr") && equal_ignoring_case(name, "upgrade") ? Known::upgrade
                                                                                             : Known::none;
    case 10:
      return first_four(name.data()) == four("conn") && equal_ignoring_case(name, "connection")
                 ? Known::connection
                 : Known::none;
    case 14:
      return first_four(name.data()) == four("cont") && equal_ignoring_case(name, "content-length")
                 ? Known::content_length
                 : Known::none;
    case 17:
      return first_four(name.data()) == four("tran") && equal_ignoring_case(name, "transfer-encoding")
                 ? Known::transfer_encoding
                 : Known::none;
    default: return Known::none;
  }
}

/// What the fields said, before the rules that need all of them.
struct Seen {
  bool host = false;
  bool length = false;
  bool chunked = false;
  bool close = false;
  bool keep_alive = false;
  bool upgrade_option = false;
  bool upgrade_field = false;
  bool continue_expected = false;
};

/// RFC 9110 section 8.6: 1*DIGIT. A list of equal values may be accepted; it never is here, because
/// whoever sends it has already been confused once.
Error read_content_length(std::string_view value, std::uint64_t& length) noexcept {
  if (value.empty()) return refuse(Errc::bad_content_length);
  std::uint64_t sum = 0;
  for (const char byte : value) {
    if (!is_class(byte, char_class::digit)) return refuse(Errc::bad_content_length);
    const bool over = __builtin_mul_overflow(sum, std::uint64_t{10}, &sum) ||
                      __builtin_add_overflow(sum, static_cast<std::uint64_t>(byte - '0'), &sum);
    if (over) return refuse(Errc::bad_content_length);
  }
  length = sum;
  return {};
}

/// RFC 9112 section 6.1: chunked is the only coding served, once, and last. What cannot be framed is
/// 400; what could be, by a server that knew the coding before chunked, is 501.
Error read_transfer_encoding(std::string_view value) noexcept {
  bool unknown_before = false;
  bool chunked = false;
  ListReader list(value);
  for (std::string_view coding; list.next(coding);) {
    if (coding.empty() || chunked) return refuse(Errc::bad_transfer_encoding);
    chunked = equal_ignoring_case(coding, "chunked");
    if (!chunked && !is_class(coding[0], char_class::token)) return refuse(Errc::bad_transfer_encoding);
    unknown_before = unknown_before || !chunked;
  }
  if (!chunked) return refuse(Errc::bad_transfer_encoding);
  return unknown_before ? refuse(Errc::transfer_coding_unknown, 501) : Error{};
}

void read_connection(std::string_view value, Seen& seen) noexcept {
  ListReader list(value);
  for (std::string_view option; list.next(option);) {
    seen.close = seen.close || equal_ignoring_case(option, "close");
    seen.keep_alive = seen.keep_alive || equal_ignoring_case(option, "keep-alive");
    seen.upgrade_option = seen.upgrade_option || equal_ignoring_case(option, "upgrade");
  }
}

void read_expect(std::string_view value, Seen& seen, Framing& framing) noexcept {
  ListReader list(value);
  for (std::string_view expectation; list.next(expectation);) {
    if (expectation.empty()) continue;
    if (equal_ignoring_case(expectation, "100-continue")) {
      seen.continue_expected = true;
    } else {
      framing.expectation_unknown = true;
    }
  }
}

Error read_field(const Head& head, const Field& field, Seen& seen, Framing& framing) noexcept {
  const std::string_view value = head.value(field);
  switch (identify(head.name(field))) {
    case Known::none: return {};
    case Known::host:
      if (seen.host || !valid_host(value)) return refuse(Errc::bad_host);
      seen.host = true;
      framing.host = value;
      return {};
    case Known::connection: read_connection(value, seen); return {};
    case Known::content_length:
      if (seen.length) return refuse(Errc::bad_content_length);
      seen.length = true;
      return read_content_length(value, framing.content_length);
    case Known::transfer_encoding:
      // RFC 9112 section 6.1: in an HTTP/1.0 message the framing is faulty, whatever it says.
      if (seen.chunked || head.version_minor == 0) return refuse(Errc::bad_transfer_encoding);
      seen.chunked = true;
      return read_transfer_encoding(value);
    case Known::expect: read_expect(value, seen, framing); return {};
    case Known::upgrade: seen.upgrade_field = !value.empty(); return {};
  }
  MR_UNREACHABLE("a field outside the enumeration");
}

/// "http://host:port/path?query": the authority; empty for the other forms.
std::string_view authority_of(std::string_view target) noexcept {
  if (target[0] == '/' || target[0] == '*') return {};
  const std::size_t colon = target.find("://");
  if (colon == std::string_view::npos) return {};  // CONNECT's host:port.
  const std::string_view rest = target.substr(colon + 3);
  return rest.substr(0, rest.find_first_of("/?"));
}

}  // namespace

Error read_framing(const Head& head, Framing& framing) noexcept {
  framing = Framing{};
  Seen seen;
  for (unsigned i = 0; i < head.field_count; ++i) {
    if (const Error error = read_field(head, head.fields[i], seen, framing); error.failed()) return error;
  }
  const bool current = head.version_minor != 0;
  if (!seen.host && current) return refuse(Errc::bad_host);
  // RFC 9112 section 6.1: both may be an attempt at smuggling; which one counts is never asked.
  if (seen.length && seen.chunked) return refuse(Errc::bad_content_length);
  // RFC 9112 section 3.2.2: the Host field was demanded, and is ignored.
  const std::string_view authority = authority_of(head.target());
  if (!authority.empty()) framing.host = authority;

  if (seen.chunked) {
    framing.body = BodyKind::chunked;
  } else if (framing.content_length != 0) {
    framing.body = BodyKind::length;
  }
  framing.keep_alive = !seen.close && (current || seen.keep_alive);
  // RFC 9110 sections 10.1.1 and 7.8: both are ignored from an HTTP/1.0 client.
  framing.expect_continue = current && seen.continue_expected && framing.body != BodyKind::none;
  framing.expectation_unknown = current && framing.expectation_unknown;
  framing.upgrade = current && seen.upgrade_option && seen.upgrade_field;
  return {};
}

}  // namespace mr::http
