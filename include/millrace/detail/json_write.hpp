// json_write.hpp: appends a value as JSON to a string. Source: RFC 8259.
//
// Text passes through as UTF-8, escaped where section 7 demands it and nowhere else.
#pragma once

#include <millrace/detail/json_types.hpp>
#include <millrace/json_fields.hpp>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace millrace::detail {

/// Where the first byte stands that section 7 wants escaped, from `at` on; text.size() where there is none. Eight bytes
/// at a time: in `odd` the high bit is set of the lowest such byte, and perhaps of some behind it.
inline std::size_t find_json_escape(std::string_view text, std::size_t at) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
  const auto zero_bytes = [](std::uint64_t word) { return (word - ones) & ~word; };
  if constexpr (std::endian::native == std::endian::little) {
    for (; at + 8 <= text.size(); at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, text.data() + at, sizeof word);
      const std::uint64_t below = (word - ones * 0x20) & ~word;
      const std::uint64_t odd =
          (below | zero_bytes(word ^ ones * '"') | zero_bytes(word ^ ones * '\\')) & highs;
      if (odd != 0) return at + static_cast<std::size_t>(std::countr_zero(odd)) / 8;
    }
  }
  for (; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x20 || byte == '"' || byte == '\\') break;
  }
  return at;
}

inline void append_json_string(std::string& out, std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  out += '"';
  std::size_t copied = 0;
  for (std::size_t at = 0; (at = find_json_escape(text, at)) < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    out.append(text, copied, at - copied);
    copied = at + 1;
    switch (byte) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        out += "\\u00";
        out += hex[byte >> 4];
        out += hex[byte & 15];
    }
  }
  out.append(text, copied);
  out += '"';
}

/// The shortest digits that read back as the same value. JSON has no NaN and no infinity: null.
template <JsonFloat T>
void append_json_float(std::string& out, T value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  if (value == 0 && std::signbit(value)) {
    out += "-0.0";  // "-0" would read back as the integer 0.
    return;
  }
  // From 2^53 on as 1e20, because many readers take a long row of digits for an integer, and refuse it.
  const bool large = std::abs(value) >= T(9007199254740992.0);
  char digits[32];
  const auto end = large ? std::to_chars(digits, digits + sizeof digits, value, std::chars_format::scientific)
                         : std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, end.ptr);
}

template <class T>
void append_json(std::string& out, const T& value);

template <class T, auto... Members>
void append_json_fields(std::string& out, const T& value, const Fields<T, Members...>& fields) {
  char before = '{';
  std::size_t index = 0;
  ((out += before, out += fields.keys[index++], append_json(out, value.*Members), before = ','), ...);
  if (sizeof...(Members) == 0) out += before;
  out += '}';
}

template <class T>
void append_json(std::string& out, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    out += value ? "true" : "false";
  } else if constexpr (JsonInteger<T>) {
    char digits[24];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  } else if constexpr (std::is_enum_v<T>) {
    using Integer = std::underlying_type_t<T>;
    // An enum over char is over a small integer all the same.
    using Widened = std::conditional_t<std::is_signed_v<Integer>, std::int64_t, std::uint64_t>;
    append_json(out, static_cast<Widened>(value));
  } else if constexpr (JsonFloat<T>) {
    append_json_float(out, value);
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    append_json_string(out, value);
  } else if constexpr (is_optional<T>) {
    if (value) {
      append_json(out, *value);
    } else {
      out += "null";
    }
  } else if constexpr (is_vector<T>) {
    out += '[';
    for (std::size_t index = 0; index < value.size(); ++index) {
      if (index != 0) out += ',';
      append_json<typename T::value_type>(out, value[index]);
    }
    out += ']';
  } else if constexpr (JsonMap<T>) {
    char before = '{';
    for (const auto& [key, mapped] : value) {
      out += before;
      append_json_string(out, key);
      out += ':';
      append_json(out, mapped);
      before = ',';
    }
    if (before == '{') out += before;
    out += '}';
  } else if constexpr (HasFields<T>) {
    append_json_fields(out, value, fields_of<T>);
  } else {
    static_assert(json_unsupported<T>, "no JSON for this type: give it an MR_JSON(Type, fields...)");
  }
}

/// The text of a value. Room is made at once for as much as the last of its type took on this thread.
template <class T>
std::string json_text(const T& value) {
  constexpr std::size_t hint_max = 64 * 1024;
  thread_local std::size_t hint = 0;
  std::string text;
  text.reserve(hint);
  append_json(text, value);
  hint = std::min(text.size(), hint_max);
  return text;
}

}  // namespace millrace::detail
