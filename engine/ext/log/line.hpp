// line.hpp: one line of an access log. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace millrace::log {

/// What a line tells. Empty texts are told as "-", or left out.
struct Facts {
  std::string_view remote = {}, user = {}, method = {}, target = {}, host = {}, referer = {}, agent = {},
                   route = {}, id = {};
  unsigned version_minor = 1;
  unsigned status = 0;
  std::uint64_t body_bytes = 0;
  std::uint64_t elapsed_ns = 0;
  std::int64_t unix_ms = 0;
};

/// Enough for any line: longer texts are cut to text_bytes_max.
inline constexpr std::size_t text_bytes_max = 1024;
inline constexpr std::size_t line_bytes_max = 48 * 1024;

/// The combined format of Apache and nginx, in UTC: what would break the line or its quotes is \xhh.
std::size_t write_combined(const Facts& facts, std::span<char, line_bytes_max> out) noexcept;
/// One JSON object; bytes outside of ASCII as \u00hh.
std::size_t write_json(const Facts& facts, std::span<char, line_bytes_max> out) noexcept;

}  // namespace millrace::log
