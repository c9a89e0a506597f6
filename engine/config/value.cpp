#include "engine/config/value.hpp"

#include <array>
#include <charconv>

#include <fmt/format.h>

namespace millrace::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array size_units = {Unit{"t", 1ull << 40}, Unit{"g", 1ull << 30}, Unit{"m", 1ull << 20},
                                   Unit{"k", 1ull << 10}};
constexpr std::array duration_units = {Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000},
                                       Unit{"s", 1000}, Unit{"ms", 1}};

/// Digits and then a unit; `unit` is what follows the digits.
std::optional<std::uint64_t> read_digits(std::string_view text, std::string_view& unit) {
  std::uint64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc{}) return std::nullopt;
  unit = text.substr(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::optional<std::uint64_t> times(std::uint64_t number, std::uint64_t factor) {
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(number, factor, &product)) return std::nullopt;
  return product;
}

template <class Units>
std::string show(std::uint64_t number, const Units& units, std::string_view zero) {
  if (number == 0) return std::string(zero);
  for (const Unit& unit : units) {
    if (number % unit.factor == 0) return fmt::format("{}{}", number / unit.factor, unit.name);
  }
  return fmt::format("{}", number);
}

}  // namespace

std::optional<std::uint64_t> read_count(std::string_view text) {
  std::string_view rest;
  const auto number = read_digits(text, rest);
  return rest.empty() ? number : std::nullopt;
}

std::optional<std::uint64_t> read_size(std::string_view text) {
  std::string_view rest;
  const auto number = read_digits(text, rest);
  if (!number || rest.empty()) return number;
  for (const Unit& unit : size_units) {
    if (rest.size() == 1 && (rest[0] | 0x20) == unit.name[0]) return times(*number, unit.factor);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> read_duration_ms(std::string_view text) {
  std::string_view rest;
  const auto number = read_digits(text, rest);
  if (!number) return std::nullopt;
  for (const Unit& unit : duration_units) {
    if (rest == unit.name) return times(*number, unit.factor);
  }
  return std::nullopt;
}

std::string show_size(std::uint64_t bytes) { return show(bytes, size_units, "0"); }
std::string show_duration(std::uint64_t milliseconds) { return show(milliseconds, duration_units, "0s"); }

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += {'\\', c};
    else if (c == '\n')
      out += "\\n";
    else if (byte < 0x20 || byte == 0x7f)
      out += fmt::format("\\u{:04x}", byte);
    else
      out += c;
  }
  return out + '"';
}

}  // namespace millrace::config
