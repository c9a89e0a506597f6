// char_class.hpp: which byte may stand where in a head, as one table of bits that every parser here
// shares. Source: RFC 9110 section 5.6.2 (token), RFC 3986 section 3 (URI), RFC 9112 section 3.2.
#pragma once

#include <array>
#include <cstdint>

namespace millrace::http {

namespace char_class {
inline constexpr std::uint8_t token = 1;       ///< tchar: methods, field names.
inline constexpr std::uint8_t control = 2;     ///< Not in a field value: 0x00-0x1f but HTAB, and 0x7f.
inline constexpr std::uint8_t path = 4;        ///< pchar, "/" and "%".
inline constexpr std::uint8_t query = 8;       ///< Path, "?", and what browsers send raw: []{}|^`\.
inline constexpr std::uint8_t authority = 16;  ///< Host, port, brackets; "@" too, refused later by name.
inline constexpr std::uint8_t reg_name =
    32;  ///< Host name without "%": unreserved and sub-delims, but no comma.
inline constexpr std::uint8_t digit = 64;
inline constexpr std::uint8_t quoted = 128;  ///< qdtext (RFC 9110 section 5.6.4).
}  // namespace char_class

constexpr std::array<std::uint8_t, 256> make_char_classes() {
  using namespace char_class;
  std::array<std::uint8_t, 256> table{};
  const auto add = [&table](const char* bytes, unsigned bits) {
    for (; *bytes != 0; ++bytes) table[static_cast<unsigned char>(*bytes)] |= static_cast<std::uint8_t>(bits);
  };
  const unsigned everywhere = token | path | query | authority | reg_name;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool upper = byte >= 'A' && byte <= 'Z';
    const bool lower = byte >= 'a' && byte <= 'z';
    const bool number = byte >= '0' && byte <= '9';
    if (upper || lower || number) table[byte] |= static_cast<std::uint8_t>(everywhere);
    if (number) table[byte] |= digit;
    if ((byte < 0x20 && byte != '\t') || byte == 0x7f) table[byte] |= control;
    const bool text = byte == '\t' || (byte >= 0x20 && byte != 0x7f);
    if (text && byte != '"' && byte != '\\') table[byte] |= quoted;
  }
  add("!#$%&'*+-.^_`|~", token);
  add("-._~!$&'()*+;=", path | query | authority | reg_name);
  // RFC 3986 allows a comma in a host; two Host lines that a hop joined look just so.
  add(",", path | query | authority);
  add(":@%", path | query | authority);
  add("/", path | query);
  add("?", query);
  // Strictly these must be encoded (RFC 3986 section 3.4), but the URL standard lets browsers send
  // them raw in a query, and they have no meaning there that a hop could misread.
  add("[]{}|^`\\", query);
  add("[]", authority);
  return table;
}

inline constexpr std::array<std::uint8_t, 256> char_classes = make_char_classes();

constexpr bool is_class(char byte, std::uint8_t bits) noexcept {
  return (char_classes[static_cast<unsigned char>(byte)] & bits) != 0;
}

/// 0 to 15, or -1 for what is no hex digit.
constexpr int hex_value(char byte) noexcept {
  if (byte >= '0' && byte <= '9') return byte - '0';
  const int lower = byte | 0x20;
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace millrace::http
