// date.hpp: HTTP dates. Source: RFC 9110 section 5.6.7.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace millrace::http {

/// Bytes of an IMF-fixdate: "Sun, 06 Nov 1994 08:49:37 GMT".
inline constexpr unsigned date_bytes = 29;

/// Writes date_bytes bytes. Seconds since 1970-01-01 00:00 UTC, years 0001 to 9999. No locale.
void write_date(std::int64_t unix_seconds, char* out) noexcept;

/// Any of the three forms a recipient must read (IMF-fixdate, RFC 850, asctime); nothing for what is
/// malformed. RFC 850's two-digit year is taken as the one at most 50 years ahead of `now_seconds`.
std::optional<std::int64_t> read_date(std::string_view text, std::int64_t now_seconds) noexcept;

}  // namespace millrace::http
