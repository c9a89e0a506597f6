// value.hpp: how values are written: counts, sizes, durations. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::config {

/// Digits only. Nothing for anything else, or past 64 bits.
std::optional<std::uint64_t> read_count(std::string_view text);
/// "16384", "16k", "8m", "1g", "1t": powers of 1024, either case.
std::optional<std::uint64_t> read_size(std::string_view text);
/// "500ms", "10s", "2m", "1h", in milliseconds. The unit must be there: a bare number has no meaning.
std::optional<std::uint64_t> read_duration_ms(std::string_view text);

/// The shortest form that read_size() and read_duration_ms() read back.
std::string show_size(std::uint64_t bytes);
std::string show_duration(std::uint64_t milliseconds);
/// A basic string of TOML, quotes included.
std::string quoted(std::string_view text);

}  // namespace millrace::config
