#include "engine/http/framing.hpp"

#include <array>

#include "engine/http/char_class.hpp"
#include "engine/http/known_host.hpp"
#include "engine/http/list.hpp"
#include "engine/http/match.hpp"

namespace millrace::http {

namespace {

constexpr Error refuse(Errc code, std::uint16_t status = 400) noexcept { return {code, status}; }

}  // namespace

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

namespace {

/// The first letters of the names that are looked at, by the names' lengths: no two have the same, and the
/// rest of a name is read only where both fit.
constexpr std::array<char, 32> first_letters = [] {
  std::array<char, 32> letters{};
  for (const std::string_view name :
       {"host", "expect", "upgrade", "connection", "content-length", "transfer-encoding"}) {
    letters[name.size()] = name[0];
  }
  return letters;
}();
bool may_be_known(const Head& head, const Field& field) noexcept {
  const std::size_t size = field.name_size;
  return size < first_letters.size() && (head.base[field.name_at] | 0x20) == first_letters[size];
}

/// What the fields said, before the rules that need all of them: a bit each.
namespace said {
constexpr unsigned host = 1;
constexpr unsigned length = 2;
constexpr unsigned chunked = 4;
constexpr unsigned close = 8;
constexpr unsigned keep_alive = 16;
constexpr unsigned upgrade_option = 32;
constexpr unsigned upgrade_field = 64;
constexpr unsigned continue_expected = 128;
constexpr unsigned unknown_expected = 256;
}  // namespace said

/// RFC 9112 section 6.1: chunked is the only coding served, once, and last. What cannot be framed is
/// 400; what could be, by a server that knew the coding before chunked, is 501.
Error read_transfer_encoding(std::string_view value) noexcept {
  bool unknown_before = false;
  bool chunked = false;
  ListReader list(value);
  for (std::string_view coding; list.next(coding);) {
    if (coding.empty() || chunked) return refuse(Errc::bad_transfer_encoding);
    chunked = matches_lower(coding, "chunked");
    if (!chunked && !is_class(coding[0], char_class::token)) return refuse(Errc::bad_transfer_encoding);
    unknown_before = unknown_before || !chunked;
  }
  if (!chunked) return refuse(Errc::bad_transfer_encoding);
  return unknown_before ? refuse(Errc::transfer_coding_unknown, 501) : Error{};
}

unsigned read_connection(std::string_view value) noexcept {
  unsigned options = 0;
  ListReader list(value);
  for (std::string_view option; list.next(option);) {
    if (matches_lower(option, "close")) options |= said::close;
    if (matches_lower(option, "keep-alive")) options |= said::keep_alive;
    if (matches_lower(option, "upgrade")) options |= said::upgrade_option;
  }
  return options;
}

unsigned read_expect(std::string_view value) noexcept {
  unsigned expectations = 0;
  ListReader list(value);
  for (std::string_view expectation; list.next(expectation);) {
    if (expectation.empty()) continue;
    expectations |=
        matches_lower(expectation, "100-continue") ? said::continue_expected : said::unknown_expected;
  }
  return expectations;
}

/// Any field but Host that may be known by its length.
__attribute__((noinline)) Error read_field(std::string_view name, std::string_view value, bool current,
                                           unsigned& seen, Framing& framing) noexcept {
  if (matches_lower(name, "connection")) {
    seen |= read_connection(value);
  } else if (matches_lower(name, "content-length")) {
    if ((seen & said::length) != 0) return refuse(Errc::bad_content_length);
    seen |= said::length;
    return read_content_length(value, framing.content_length);
  } else if (matches_lower(name, "transfer-encoding")) {
    // RFC 9112 section 6.1: in an HTTP/1.0 message the framing is faulty, whatever it says.
    if ((seen & said::chunked) != 0 || !current) return refuse(Errc::bad_transfer_encoding);
    seen |= said::chunked;
    return read_transfer_encoding(value);
  } else if (matches_lower(name, "expect")) {
    seen |= read_expect(value);
  } else if (matches_lower(name, "upgrade")) {
    if (!value.empty()) seen |= said::upgrade_field;
  }
  return {};
}

/// The authority of "http://host:port/path?query"; empty for the form CONNECT has.
std::string_view authority_of(std::string_view target) noexcept {
  const std::size_t colon = target.find("://");
  if (colon == std::string_view::npos) return {};
  const std::string_view rest = target.substr(colon + 3);
  return rest.substr(0, rest.find_first_of("/?"));
}

/// The rules that need all fields, for a message whose fields said more than its host.
__attribute__((noinline)) Error conclude(unsigned seen, bool current, Framing& framing) noexcept {
  if ((seen & said::host) == 0 && current) return refuse(Errc::bad_host);
  // RFC 9112 section 6.1: both may be an attempt at smuggling; which one counts is never asked.
  if ((seen & said::length) != 0 && (seen & said::chunked) != 0) return refuse(Errc::bad_content_length);
  if ((seen & said::chunked) != 0) {
    framing.body = BodyKind::chunked;
  } else if (framing.content_length != 0) {
    framing.body = BodyKind::length;
  }
  framing.keep_alive = (seen & said::close) == 0 && (current || (seen & said::keep_alive) != 0);
  if (!current) return {};
  // RFC 9110 sections 10.1.1 and 7.8: all of these are ignored from an HTTP/1.0 client.
  framing.expect_continue = (seen & said::continue_expected) != 0 && framing.body != BodyKind::none;
  framing.expectation_unknown = (seen & said::unknown_expected) != 0;
  framing.upgrade = (seen & said::upgrade_option) != 0 && (seen & said::upgrade_field) != 0;
  return {};
}

}  // namespace

Error read_framing(const Head& head, KnownHost& known, Framing& framing) noexcept {
  framing.content_length = 0;
  framing.host = {};
  framing.body = BodyKind::none;
  framing.keep_alive = true;
  framing.expect_continue = framing.expectation_unknown = framing.upgrade = false;
  unsigned seen = 0;
  const bool current = head.version_minor != 0;
  const Field* const end = head.fields + head.field_count;
  for (const Field* field = head.fields; field != end; ++field) {
    if (!may_be_known(head, *field)) continue;
    const std::string_view name = head.name(*field);
    const std::string_view value = head.value(*field);
    if (matches_lower(name, "host")) {
      framing.host = value;
      if ((seen & said::host) != 0 || !known.valid(value)) return refuse(Errc::bad_host);
      seen |= said::host;
    } else if (const Error error = read_field(name, value, current, seen, framing); error.failed()) {
      return error;
    }
  }
  // RFC 9112 section 3.2.2: the Host field was demanded, and is ignored.
  const char form = head.base[head.target_at];
  if (form != '/' && form != '*') [[unlikely]] {
    const std::string_view authority = authority_of(head.target());
    if (!authority.empty()) framing.host = authority;
  }
  return seen == said::host && current ? Error{} : conclude(seen, current, framing);
}

}  // namespace millrace::http
