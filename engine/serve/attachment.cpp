// attachment.cpp: Content-Disposition, for names of every script. Source: RFC 6266, RFC 8187.
#include <millrace/response.hpp>

#include <algorithm>

#include "engine/http/char_class.hpp"

namespace millrace {
namespace {

constexpr std::string_view hex_digits = "0123456789ABCDEF";

/// attr-char (RFC 8187 section 3.2.1): a token without "*", "'" and "%".
bool is_attribute_byte(char byte) noexcept {
  return http::is_class(byte, http::char_class::token) && byte != '*' && byte != '\'' && byte != '%';
}

/// For clients that know `filename` alone. Browsers decode escapes in it, so "%" is none to keep.
std::string ascii_of(std::string_view filename) {
  std::string out;
  for (const char byte : filename) {
    const bool keep = byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\' && byte != '%';
    const bool continues =
        (static_cast<unsigned char>(byte) & 0xc0) == 0x80;  // Of a character that has its `_`.
    if (!continues) out += keep ? byte : '_';
  }
  return out;
}

std::string extended_of(std::string_view filename) {
  std::string out;
  for (const char byte : filename) {
    const auto value = static_cast<unsigned char>(byte);
    if (is_attribute_byte(byte)) {
      out += byte;
    } else {
      out.append(1, '%').append(1, hex_digits[value >> 4]).append(1, hex_digits[value & 15]);
    }
  }
  return out;
}

}  // namespace

Response& Response::attachment(std::string_view filename) & {
  if (std::any_of(filename.begin(), filename.end(),
                  [](char byte) { return http::is_class(byte, http::char_class::control); })) {
    refuse("the response is an attachment whose filename has a control character");
    return *this;
  }
  std::string value = "attachment";
  const std::string ascii = ascii_of(filename);
  if (!filename.empty()) value.append("; filename=\"").append(ascii).append("\"");
  if (ascii != filename) value.append("; filename*=UTF-8''").append(extended_of(filename));
  return header("Content-Disposition", value);
}

}  // namespace millrace
