#include "engine/http/target.hpp"

#include <algorithm>
#include <cstring>

#include "engine/http/char_class.hpp"
#include "engine/http/framing.hpp"

namespace millrace::http {

namespace {

constexpr Error refuse(Errc code) noexcept { return {code, 400}; }

/// The byte an escape stands for, or -1 where it is cut or malformed.
int escaped_byte(const char* at, const char* end) noexcept {
  if (end - at < 3) return -1;
  const int high = hex_value(at[1]);
  const int low = hex_value(at[2]);
  return (high | low) < 0 ? -1 : high * 16 + low;
}

/// Rewrites a path from its first escape on. `path` is the path's first byte, `in` that escape.
Error decode_path(char* path, const char* in, const char* end, Target& target) noexcept {
  char* out = path + (in - path);
  while (in != end) {
    if (*in != '%') {
      *out++ = *in++;
      continue;
    }
    const int byte = escaped_byte(in, end);
    if (byte <= 0) return refuse(Errc::bad_percent_encoding);  // "%00" would end a name in the kernel.
    if (byte == '/') {
      if (target.encoded_slash_count == Target::encoded_slashes_max) return refuse(Errc::bad_target);
      target.encoded_slash_at[target.encoded_slash_count++] = static_cast<std::uint16_t>(out - path);
    }
    *out++ = static_cast<char>(byte);
    in += 3;
  }
  target.path = {path, static_cast<std::size_t>(out - path)};
  return {};
}

/// Path and query, from a slash or a question mark on; `plain` bytes come before the first "?" or "%".
Error read_path(char* path, std::size_t plain, char* end, Target& target) noexcept {
  char* const escape = path + plain;
  char* at = escape;
  while (at != end && *at != '?') ++at;
  if (at != end) target.query = {at + 1, static_cast<std::size_t>(end - at - 1)};
  if (escape != at) return decode_path(path, escape, at, target);
  target.path = plain == 0 ? std::string_view("/") : std::string_view(path, plain);
  return {};
}

/// RFC 9112 section 3.2.3: uri-host ":" port, both there.
bool valid_authority_form(std::string_view authority) noexcept {
  const std::size_t mark = authority.find_last_of(":]");  // A colon before "]" is the address's own.
  return mark != std::string_view::npos && authority[mark] == ':' && mark + 1 != authority.size() &&
         valid_host(authority);
}

/// The forms that few requests have.
Error read_other_form(const Head& head, char* start, char* end, Target& target) noexcept {
  if (head.method == Method::connect) {
    target.form = TargetForm::authority;
    target.authority = head.target();
    return valid_authority_form(target.authority) ? Error{} : refuse(Errc::bad_target);
  }
  if (*start == '*') {
    target.form = TargetForm::asterisk;
    target.path = head.target();
    return {};
  }
  target.form = TargetForm::absolute;
  const auto* slashes = static_cast<char*>(std::memchr(start, ':', head.target_size));
  MR_ASSERT(slashes != nullptr && end - slashes >= 3);  // The tokenizer saw "://".
  char* const authority = start + (slashes - start) + 3;
  char* path = authority;
  while (path != end && *path != '/' && *path != '?') ++path;
  target.authority = {authority, static_cast<std::size_t>(path - authority)};
  // RFC 9110 section 4.2: no empty host, no userinfo ("@" is in no valid host).
  if (!valid_host(target.authority)) return refuse(Errc::bad_target);
  const std::string_view rest(path, static_cast<std::size_t>(end - path));
  return read_path(path, std::min(rest.find_first_of("?%"), rest.size()), end, target);
}

}  // namespace

bool Target::is_separator(std::size_t at) const noexcept {
  if (path[at] != '/') return false;
  for (unsigned i = 0; i < encoded_slash_count; ++i) {
    if (encoded_slash_at[i] == at) return false;
  }
  return true;
}

Error read_other_target(const Head& head, char* bytes, Target& target) noexcept {
  char* const start = bytes + head.target_at;
  char* const end = start + head.target_size;
  if (*start == '/') return read_path(start, head.plain_size, end, target);
  return read_other_form(head, start, end, target);
}

std::size_t percent_decode(char* bytes, std::size_t size, bool plus_is_space) noexcept {
  const char* in = bytes;
  const char* const end = bytes + size;
  const auto plain = [plus_is_space](char byte) { return byte != '%' && !(plus_is_space && byte == '+'); };
  while (in != end && plain(*in)) ++in;  // Most text has nothing to decode, and is not written.
  char* out = bytes + (in - bytes);
  while (in != end) {
    if (plain(*in)) {
      *out++ = *in++;
    } else if (*in == '+') {
      *out++ = ' ';
      ++in;
    } else {
      const int byte = escaped_byte(in, end);
      if (byte < 0) return std::string_view::npos;
      *out++ = static_cast<char>(byte);
      in += 3;
    }
  }
  return static_cast<std::size_t>(out - bytes);
}

}  // namespace millrace::http
