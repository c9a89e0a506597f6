// scalar.cpp: the kernel for any processor, a byte at a time. Written apart from the vector kernels,
// so that a fault they share would show as a disagreement with this one.
#include <algorithm>
#include <cstring>

#include "engine/http/char_class.hpp"
#include "engine/http/kernels/kernels.hpp"

namespace millrace::http {

namespace {

bool starts_with(const char* at, const char* end, std::string_view want) noexcept {
  return static_cast<std::size_t>(end - at) >= want.size() && std::memcmp(at, want.data(), want.size()) == 0;
}

const char* skip(const char* at, const char* end, std::uint8_t bits) noexcept {
  while (at != end && is_class(*at, bits)) ++at;
  return at;
}

/// The request line; `at` ends behind it.
Scan scan_request_line(const char*& at, const char* end, Head& head) noexcept {
  const char* const base = at;
  at = skip(at, end, char_class::token);
  if (at == end) return Scan::incomplete;
  head.method_size = static_cast<std::uint16_t>(at - base);
  head.method = method_from(head.method_text());
  if (*at != ' ' || head.method == Method::other || head.method == Method::connect) return Scan::unsure;
  const char* const target = ++at;
  if (at == end) return Scan::incomplete;
  if (*at != '/') return Scan::unsure;
  while (at != end && *at != '%' && is_class(*at, char_class::path)) ++at;
  head.plain_size = static_cast<std::uint16_t>(at - target);
  at = skip(at, end, char_class::path);
  if (at != end && *at == '?') at = skip(at, end, char_class::query);
  if (at == end) return Scan::incomplete;
  if (*at != ' ') return Scan::unsure;
  head.target_at = static_cast<std::uint16_t>(target - base);
  head.target_size = static_cast<std::uint16_t>(at - target);
  ++at;
  constexpr std::ptrdiff_t version_line_bytes = 10;
  if (end - at < version_line_bytes) return Scan::incomplete;
  head.version_minor = at[7] == '0' ? 0 : 1;
  if (!starts_with(at, end, head.version_minor == 0 ? "HTTP/1.0\r\n" : "HTTP/1.1\r\n")) return Scan::unsure;
  at += version_line_bytes;
  return Scan::complete;
}

Scan scan_field(const char*& at, const char* end, const char* base, Field& field) noexcept {
  const char* const name = at;
  at = skip(at, end, char_class::token);
  if (at == end) return Scan::incomplete;
  if (*at != ':' || at == name) return Scan::unsure;
  const char* const name_end = at++;
  while (at != end && (*at == ' ' || *at == '\t')) ++at;
  const char* const value = at;
  while (at != end && !is_class(*at, char_class::control)) ++at;
  if (end - at < 2) return Scan::incomplete;
  if (at[0] != '\r' || at[1] != '\n') return Scan::unsure;
  const char* value_end = at;
  while (value_end != value && (value_end[-1] == ' ' || value_end[-1] == '\t')) --value_end;
  at += 2;
  field = {static_cast<std::uint16_t>(name - base), static_cast<std::uint16_t>(name_end - name),
           static_cast<std::uint16_t>(value - base), static_cast<std::uint16_t>(value_end - value)};
  return Scan::complete;
}

}  // namespace

Scan scan_scalar(const char* data, std::size_t size, Head& head) noexcept {
  const char* at = data;
  const char* const end = data + std::min<std::size_t>(size, head_bytes_ceiling);
  head.base = data;
  if (const Scan scan = scan_request_line(at, end, head); scan != Scan::complete) return scan;
  for (head.field_count = 0;; ++head.field_count) {
    if (end - at < 2) return Scan::incomplete;
    if (*at == '\r') break;
    if (head.field_count == head.fields_max) return Scan::unsure;
    const Scan scan = scan_field(at, end, data, head.fields[head.field_count]);
    if (scan != Scan::complete) return scan;
  }
  if (at[1] != '\n') return Scan::unsure;
  head.size = static_cast<std::uint16_t>(at + 2 - data);
  return Scan::complete;
}

}  // namespace millrace::http
