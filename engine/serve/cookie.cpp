// cookie.cpp: judges a cookie and writes its Set-Cookie field. Source: RFC 6265 section 4.1.1.
#include <millrace/response.hpp>

#include <algorithm>
#include <array>
#include <string>

#include "engine/base/assert.hpp"
#include "engine/http/char_class.hpp"
#include "engine/http/date.hpp"
#include "engine/http/framing.hpp"

namespace millrace {
namespace {

template <class Valid>
bool all_of(std::string_view text, Valid&& valid) noexcept {
  return std::all_of(text.begin(), text.end(), valid);
}

bool valid_name(std::string_view name) noexcept {
  return !name.empty() &&
         all_of(name, [](char byte) { return http::is_class(byte, http::char_class::token); });
}

/// cookie-octet: printable ASCII without white space, quotes, comma, semicolon and backslash.
bool valid_value(std::string_view value) noexcept {
  return all_of(value, [](char byte) {
    return byte > 0x20 && byte < 0x7f && byte != '"' && byte != ',' && byte != ';' && byte != '\\';
  });
}

/// What stands between the semicolons.
bool valid_attribute(std::string_view value) noexcept {
  return all_of(value, [](char byte) { return byte >= 0x20 && byte < 0x7f && byte != ';'; });
}

constexpr std::int64_t year_1601_seconds = -11'644'473'600;
constexpr std::int64_t year_9999_seconds = 253'402'300'799;

bool is_secure(const CookieOptions& options) noexcept {
  return options.secure || options.partitioned || options.same_site == SameSite::none;
}

bool has_prefix(std::string_view name, std::string_view prefix) noexcept {
  return http::equal_ignoring_case(name.substr(0, prefix.size()), prefix);
}

/// Null, or what is wrong with it.
const char* judge(std::string_view name, std::string_view value, const CookieOptions& options) noexcept {
  if (!valid_name(name) || !valid_value(value) || !valid_attribute(options.path) ||
      !valid_attribute(options.domain)) {
    return "the response has a cookie with a character that cookies cannot have";
  }
  if (options.expires) {
    const std::int64_t seconds = options.expires->time_since_epoch().count();
    if (seconds < year_1601_seconds || seconds > year_9999_seconds)
      return "the response has a cookie that expires outside of the years 1601 to 9999";
  }
  if (has_prefix(name, "__Secure-") && !is_secure(options))
    return "the response has a cookie whose name begins with __Secure-, but it is not secure";
  if (has_prefix(name, "__Host-") && (!is_secure(options) || options.path != "/" || !options.domain.empty()))
    return "the response has a cookie whose name begins with __Host-: it must be secure, of path / and "
           "without a domain";
  return nullptr;
}

std::string_view text_of(SameSite same_site) noexcept {
  switch (same_site) {
    case SameSite::unset: return "";
    case SameSite::strict: return "; SameSite=Strict";
    case SameSite::lax: return "; SameSite=Lax";
    case SameSite::none: return "; SameSite=None";
  }
  MR_UNREACHABLE("a SameSite outside the enumeration");
}

}  // namespace

Response& Response::cookie(std::string_view name, std::string_view value, const CookieOptions& options) & {
  if (const char* problem = judge(name, value, options)) {
    refuse(problem);
    return *this;
  }
  std::string text(name);
  text.append("=").append(value);
  if (!options.path.empty()) text.append("; Path=").append(options.path);
  if (!options.domain.empty()) text.append("; Domain=").append(options.domain);
  if (options.max_age) text.append("; Max-Age=").append(std::to_string(options.max_age->count()));
  if (options.expires) {
    std::array<char, http::date_bytes> date;
    http::write_date(options.expires->time_since_epoch().count(), date.data());
    text.append("; Expires=").append(date.data(), date.size());
  }
  if (is_secure(options)) text += "; Secure";
  if (options.http_only) text += "; HttpOnly";
  text += text_of(options.same_site);
  if (options.partitioned) text += "; Partitioned";
  add_line("Set-Cookie", text);
  return *this;
}

}  // namespace millrace
