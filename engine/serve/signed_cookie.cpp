// signed_cookie.cpp: base64url(value) "." ends "." base64url(HMAC-SHA-256(key, name "=" value "." ends)).
// `ends` are seconds since 1970, 0 for never. Neither a name nor the rest can hold the separators, so no two
// cookies are signed as the same text.
#include <millrace/signed_cookie.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "engine/base/base64url.hpp"
#include "engine/base/sha256.hpp"

namespace millrace {
namespace {

using std::chrono::sys_seconds;

Sha256Digest mac(std::string_view key, std::string_view name, std::string_view payload) {
  std::string text(name);
  text.append("=").append(payload);
  return hmac_sha256(key, text);
}

std::string_view bytes_of(const Sha256Digest& digest) noexcept {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

sys_seconds wall_clock() noexcept {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

/// The digits of a time that has not come; 0: never.
bool still_good(std::string_view digits, sys_seconds now) noexcept {
  std::int64_t ends = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), ends);
  if (error != std::errc{} || end != digits.data() + digits.size() || ends < 0) return false;
  return ends == 0 || ends > now.time_since_epoch().count();
}

}  // namespace

SignedCookies::SignedCookies(std::vector<std::string> keys) : keys_(std::move(keys)) {}

bool SignedCookies::usable() const noexcept {
  return !keys_.empty() && std::all_of(keys_.begin(), keys_.end(),
                                       [](const std::string& key) { return key.size() >= key_bytes_min; });
}

std::string SignedCookies::sign(std::string_view name, std::string_view value,
                                std::optional<sys_seconds> ends) const {
  if (!usable()) return {};
  std::string text = to_base64url(value);
  text.append(".").append(
      std::to_string(ends ? std::max<std::int64_t>(ends->time_since_epoch().count(), 1) : 0));
  const std::string signature = to_base64url(bytes_of(mac(keys_.front(), name, text)));
  return text.append(".").append(signature);
}

std::optional<std::string> SignedCookies::verify(std::string_view name, std::string_view signed_value,
                                                 sys_seconds now) const {
  const std::size_t last = signed_value.rfind('.');
  if (!usable() || last == std::string_view::npos) return std::nullopt;
  const std::string_view payload = signed_value.substr(0, last);
  const std::optional<std::string> sent = from_base64url(signed_value.substr(last + 1));
  Sha256Digest signature;
  if (!sent || sent->size() != signature.size()) return std::nullopt;
  std::memcpy(signature.data(), sent->data(), signature.size());
  const bool good = std::any_of(keys_.begin(), keys_.end(), [&](const std::string& key) {
    return equal_in_constant_time(mac(key, name, payload), signature);
  });
  const std::size_t dot = payload.find('.');
  if (!good || dot == std::string_view::npos || !still_good(payload.substr(dot + 1), now))
    return std::nullopt;
  return from_base64url(payload.substr(0, dot));
}

void SignedCookies::set(Response& response, std::string_view name, std::string_view value,
                        const CookieOptions& options) const {
  std::optional<sys_seconds> ends;
  if (options.max_age) ends = wall_clock() + *options.max_age;
  const std::string text = sign(name, value, ends);
  if (text.empty())
    return response.refuse("a cookie cannot be signed: SignedCookies needs keys of 32 bytes or more");
  response.cookie(name, text, options);
}

std::optional<std::string> SignedCookies::get(const Request& request, std::string_view name) const {
  const std::optional<std::string_view> value = request.cookie(name);
  return value ? verify(name, *value, wall_clock()) : std::nullopt;
}

}  // namespace millrace
