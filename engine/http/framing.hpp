// framing.hpp: what a head says of its message: body, persistence, expectation, host.
// Source: RFC 9112 sections 3.2, 6 and 9, RFC 9110 sections 7.2, 7.6.1, 8.6 and 10.1.1.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/result.hpp"
#include "engine/http/head.hpp"

namespace millrace::http {

enum class BodyKind : std::uint8_t { none, length, chunked };

struct Framing {
  std::uint64_t content_length = 0;  ///< For BodyKind::length: > 0 (a length of 0 is `none`).
  std::string_view host;  ///< Host field, or the absolute target's authority; may be empty in HTTP/1.0.
  BodyKind body = BodyKind::none;
  bool keep_alive = true;            ///< RFC 9112 section 9.3.
  bool expect_continue = false;      ///< Only in HTTP/1.1 with a body that is not empty.
  bool expectation_unknown = false;  ///< Answer 417; the connection stays.
  bool upgrade = false;              ///< HTTP/1.1 with Connection: upgrade and an Upgrade field.
};

class KnownHost;

/// Reads the fields once; `known` is the caller's, from one message to the next.
/// Returns ok, or an Error with status 400 (Host missing, twice or invalid; Content-Length invalid,
/// repeated or beside Transfer-Encoding; chunked not last or twice; any Transfer-Encoding in
/// HTTP/1.0), or 501 (a transfer coding unknown before chunked). After any of them the connection closes.
/// O(bytes of the fields it reads); never allocates.
Error read_framing(const Head& head, KnownHost& known, Framing& framing) noexcept;

/// Content-Length's value, 1*DIGIT below 2^64 (RFC 9110 section 8.6); else bad_content_length, status 400.
/// A list of equal values may be accepted; it never is, because whoever sends it has already been confused once.
Error read_content_length(std::string_view value, std::uint64_t& length) noexcept;

/// True where `host` is a valid uri-host with an optional port (RFC 3986 section 3.2.2): no userinfo,
/// port 0 to 65535 or empty, IPv6 in brackets, percent-encodings well formed; not empty and not ".".
bool valid_host(std::string_view host) noexcept;

/// Case-insensitive search in a comma-separated list (RFC 9110 section 5.6.1).
bool list_has(std::string_view list, std::string_view token) noexcept;

/// ASCII case-insensitive equality.
bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

}  // namespace millrace::http
