// head.hpp: a request's head as spans over the bytes it came in. Nothing is copied.
#pragma once

#include <cstdint>
#include <string_view>

namespace millrace::http {

/// Largest head the spans can address, in bytes; limits.header_bytes is held below it.
inline constexpr std::uint32_t head_bytes_ceiling = 65'535;

enum class Method : std::uint8_t {
  get,
  head,
  post,
  put,
  delete_,
  connect,
  options,
  trace,
  patch,
  other,  ///< A valid token that the engine does not know (answer 501).
};
inline constexpr unsigned method_count = 10;

/// "GET"; for `other`, "".
std::string_view name_of(Method method) noexcept;
/// Case-sensitive (RFC 9110 section 9.1); `other` for what it does not know.
Method method_from(std::string_view name) noexcept;

/// One field line: offsets from Head::base. The value has no optional white space around it.
struct Field {
  std::uint16_t name_at;
  std::uint16_t name_size;
  std::uint16_t value_at;
  std::uint16_t value_size;
  friend bool operator==(const Field&, const Field&) = default;
};
static_assert(sizeof(Field) == 8, "a field is one store");

/// Filled by a tokenizer kernel or by the strict path; both fill it alike.
/// `fields` points to the caller's table of `fields_max`; the rest is written by the tokenizer.
/// Valid while the bytes at `base` stay; the bytes may be moved if `base` is moved with them.
struct Head {
  const char* base = nullptr;  ///< First byte of the request line (after skipped empty lines).
  Field* fields = nullptr;
  std::uint16_t fields_max = 0;
  std::uint16_t field_count = 0;
  std::uint16_t size = 0;         ///< Bytes from base to behind the last CRLF.
  std::uint16_t method_size = 0;  ///< The method is at base.
  std::uint16_t target_at = 0;
  std::uint16_t target_size = 0;
  std::uint16_t plain_size = 0;  ///< Of the target, before its first "?" or "%".
  Method method = Method::other;
  std::uint8_t version_minor = 1;  ///< 0 or 1; HTTP/1.2 to 1.9 are served as 1.1 (RFC 9110 section 6.2).

  std::string_view method_text() const noexcept { return {base, method_size}; }
  std::string_view target() const noexcept { return {base + target_at, target_size}; }
  std::string_view name(const Field& field) const noexcept { return {base + field.name_at, field.name_size}; }
  std::string_view value(const Field& field) const noexcept {
    return {base + field.value_at, field.value_size};
  }
};

/// True where both describe the same bytes in the same way: every span, and the base.
bool same_head(const Head& a, const Head& b) noexcept;

}  // namespace millrace::http
