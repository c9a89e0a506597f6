// text.cpp: comparisons and hosts, the parts of framing.hpp that other modules use too.
#include "engine/http/char_class.hpp"
#include "engine/http/framing.hpp"
#include "engine/http/list.hpp"

namespace millrace::http {

namespace {

constexpr char lower(char byte) noexcept {
  return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte | 0x20) : byte;
}

/// *DIGIT, up to 65535; empty is the scheme's default (RFC 3986 section 3.2.3).
bool valid_port(std::string_view port) noexcept {
  unsigned value = 0;
  for (const char byte : port) {
    if (!is_class(byte, char_class::digit)) return false;
    value = value * 10 + static_cast<unsigned>(byte - '0');
    if (value > 65'535) return false;
  }
  return true;
}

/// Takes a dec-octet from the front.
bool take_octet(std::string_view& text) noexcept {
  std::size_t digits = 0;
  unsigned value = 0;
  while (digits < text.size() && digits < 4 && is_class(text[digits], char_class::digit)) {
    value = value * 10 + static_cast<unsigned>(text[digits++] - '0');
  }
  if (digits == 0 || digits > 3 || value > 255 || (digits > 1 && text[0] == '0')) return false;
  text.remove_prefix(digits);
  return true;
}

/// dec-octet "." dec-octet "." dec-octet "." dec-octet.
bool valid_ipv4(std::string_view text) noexcept {
  for (unsigned octet = 0; octet < 3; ++octet) {
    if (!take_octet(text) || !text.starts_with('.')) return false;
    text.remove_prefix(1);
  }
  return take_octet(text) && text.empty();
}

/// 1 to 4 hex digits, eight times, or fewer around one "::"; the last two may be an IPv4 address.
bool valid_ipv6(std::string_view text) noexcept {
  unsigned groups = 0;
  bool gap = false;
  if (text.starts_with("::")) {
    gap = true;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    std::size_t digits = 0;
    while (digits < text.size() && digits < 5 && hex_value(text[digits]) >= 0) ++digits;
    if (digits < text.size() && text[digits] == '.') {
      groups += 2;
      if (!valid_ipv4(text)) return false;
      break;
    }
    if (digits == 0 || digits > 4) return false;
    ++groups;
    text.remove_prefix(digits);
    if (text.empty()) break;
    if (text.starts_with("::")) {
      if (gap) return false;
      gap = true;
      text.remove_prefix(2);
      continue;
    }
    if (text[0] != ':' || text.size() == 1) return false;
    text.remove_prefix(1);
  }
  return gap ? groups <= 7 : groups == 8;
}

/// "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" ): a form nobody uses, and valid.
bool valid_ip_future(std::string_view text) noexcept {
  std::size_t at = 1;
  while (at < text.size() && hex_value(text[at]) >= 0) ++at;
  if (at == 1 || at + 1 >= text.size() || text[at] != '.') return false;
  for (const char byte : text.substr(at + 1)) {
    if (!is_class(byte, char_class::reg_name) && byte != ':') return false;
  }
  return true;
}

bool valid_bracketed(std::string_view text) noexcept {
  return !text.empty() && lower(text[0]) == 'v' ? valid_ip_future(text) : !text.empty() && valid_ipv6(text);
}

/// Whether every byte may stand in a name: the common case, four bytes a branch.
bool all_reg_name(std::string_view host) noexcept {
  const auto* at = reinterpret_cast<const unsigned char*>(host.data());
  std::size_t left = host.size();
  for (; left >= 4; left -= 4, at += 4) {
    const unsigned classes =
        char_classes[at[0]] & char_classes[at[1]] & char_classes[at[2]] & char_classes[at[3]];
    if ((classes & char_class::reg_name) == 0) return false;
  }
  for (; left != 0; --left, ++at) {
    if ((char_classes[*at] & char_class::reg_name) == 0) return false;
  }
  return true;
}

/// A host that is not empty and has more in it than a name: a port, brackets, escapes.
__attribute__((noinline)) bool valid_odd_host(std::string_view host) noexcept {
  if (host[0] == '[') {
    const std::size_t close = host.find(']');
    if (close == std::string_view::npos || !valid_bracketed(host.substr(1, close - 1))) return false;
    const std::string_view rest = host.substr(close + 1);
    return rest.empty() || (rest[0] == ':' && valid_port(rest.substr(1)));
  }
  std::size_t at = 0;
  for (;;) {
    while (at < host.size() && is_class(host[at], char_class::reg_name)) ++at;
    if (at == host.size()) return true;
    if (host[at] != '%') break;
    if (host.size() - at < 3 || hex_value(host[at + 1]) < 0 || hex_value(host[at + 2]) < 0) return false;
    at += 3;
  }
  return host[at] == ':' && at != 0 && valid_port(host.substr(at + 1));
}

}  // namespace

bool valid_host(std::string_view host) noexcept {
  if (host.empty()) return false;
  return all_reg_name(host) ? host.size() != 1 || host[0] != '.' : valid_odd_host(host);
}

bool list_has(std::string_view list, std::string_view token) noexcept {
  ListReader reader(list);
  for (std::string_view element; reader.next(element);) {
    if (equal_ignoring_case(element, token)) return true;
  }
  return false;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

}  // namespace millrace::http
