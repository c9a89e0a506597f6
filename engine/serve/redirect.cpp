#include <millrace/redirect.hpp>

#include <algorithm>

#include "engine/http/char_class.hpp"

namespace millrace {
namespace {

constexpr std::string_view hex_digits = "0123456789ABCDEF";

/// RFC 3986: unreserved, reserved and "%".
bool is_url_byte(char byte) noexcept {
  return http::is_class(byte, http::char_class::path) || byte == '?' || byte == '#' || byte == '[' ||
         byte == ']';
}

bool is_control(char byte) noexcept { return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f; }

/// Control characters stay, so that the response refuses them.
std::string encode(std::string_view location) {
  std::string out;
  for (const char byte : location) {
    const auto value = static_cast<unsigned char>(byte);
    if (is_url_byte(byte) || http::is_class(byte, http::char_class::control)) {
      out += byte;
    } else {
      out.append(1, '%').append(1, hex_digits[value >> 4]).append(1, hex_digits[value & 15]);
    }
  }
  return out;
}

}  // namespace

Response redirect(std::string_view location, unsigned status) {
  Response response;
  const bool redirects = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
  if (!redirects) response.refuse("a redirect has a status other than 301, 302, 303, 307 and 308");
  if (location.empty()) response.refuse("a redirect has an empty location");
  return std::move(response.status(status).header("Location", encode(location)));
}

bool is_local_path(std::string_view location) noexcept {
  if (!location.starts_with('/') || std::any_of(location.begin(), location.end(), is_control)) return false;
  return location.size() == 1 || (location[1] != '/' && location[1] != '\\');
}

}  // namespace millrace
