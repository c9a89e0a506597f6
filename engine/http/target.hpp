// target.hpp: the request target, split and decoded in place. Source: RFC 9112 section 3.2, RFC 3986.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "engine/base/result.hpp"
#include "engine/http/head.hpp"

namespace millrace::http {

enum class TargetForm : std::uint8_t { origin, absolute, asterisk, authority };

/// A decoded path. `%2F` decodes to a slash that is data, not a separator; its places are kept.
struct Target {
  std::string_view path;   ///< Percent-decoded; "/" for an absolute target without a path; "*" for asterisk.
  std::string_view query;  ///< Raw, without the `?`.
  std::string_view authority;  ///< Of an absolute or authority target; raw.
  TargetForm form = TargetForm::origin;
  std::uint8_t encoded_slash_count = 0;
  static constexpr unsigned encoded_slashes_max = 8;                  ///< More are refused: 400.
  std::array<std::uint16_t, encoded_slashes_max> encoded_slash_at{};  ///< Offsets in `path`.

  bool is_separator(std::size_t at) const noexcept;  ///< path[at] is a slash that separates.
};

/// Splits and decodes. Call once a head: a path that holds a `%` is decoded in place, after which
/// head.target() shows decoded bytes. bytes: head.base, writable. The tokenizer has judged the
/// characters and the form; what is left is judged here.
/// Returns ok; bad_percent_encoding 400 ("%zz", "%", "%00"; the connection may stay open); or
/// bad_target 400 (userinfo, an empty or invalid authority, CONNECT without a port...).
/// O(target); never allocates.
inline Error read_target(const Head& head, char* bytes, Target& target) noexcept;

/// Percent-decodes in place, `+` as a space where plus_is_space (forms and queries). Returns the
/// decoded size; npos on a malformed escape.
std::size_t percent_decode(char* bytes, std::size_t size, bool plus_is_space) noexcept;

/// read_target() of what is not a path alone. Everything but the path is set as in a target that has no more.
Error read_other_target(const Head& head, char* bytes, Target& target) noexcept;

inline Error read_target(const Head& head, char* bytes, Target& target) noexcept {
  MR_ASSERT(bytes == head.base);
  MR_ASSERT(head.target_size != 0);
  // One by one, because the table of slashes needs no clearing.
  target.query = {};
  target.authority = {};
  target.form = TargetForm::origin;
  target.encoded_slash_count = 0;
  const bool path_alone = head.plain_size == head.target_size && bytes[head.target_at] == '/';
  if (!path_alone) [[unlikely]]
    return read_other_target(head, bytes, target);
  target.path = head.target();
  return {};
}

}  // namespace millrace::http
