// signed_cookie.hpp: cookies that a client can read, but not make or change.
//
//   const mr::SignedCookies session({key});   // Once; key: 32 random bytes or more, kept secret.
//
//   app.post("/login", [&](mr::Request&) {
//     mr::Response response("welcome");
//     session.set(response, "user", "42", {.max_age = std::chrono::hours(8), .secure = true});
//     return response;
//   });
//   app.get("/me", [&](mr::Request& request) { return session.get(request, "user").value_or("nobody"); });
//
// A value is signed with the cookie's name and, where it has a Max-Age, with the time at which it ends: one
// that was taken from elsewhere, or kept too long, is none. It is not encrypted, and it cannot be called back
// before it ends: for that, sign the key of a session that the server knows.
#pragma once

#include <millrace/namespace.hpp>
#include <millrace/request.hpp>
#include <millrace/response.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

/// Safe for any number of threads once made. HMAC-SHA-256 (RFC 2104).
class SignedCookies {
 public:
  static constexpr std::size_t key_bytes_min = 32;

  /// The first key signs, every one verifies: to rotate, put a new one in front, and drop the old one when
  /// what it signed has ended. A key below key_bytes_min, or none, makes every set() and get() fail.
  explicit SignedCookies(std::vector<std::string> keys);

  /// Adds a Set-Cookie field with the value, which may be any bytes, signed. Without good keys the response
  /// becomes invalid, which is answered 500 and says why in the log.
  void set(Response& response, std::string_view name, std::string_view value,
           const CookieOptions& options = {}) const;
  /// The value of a cookie that one of the keys has signed under that name, and that has not ended.
  std::optional<std::string> get(const Request& request, std::string_view name) const;

  /// The same for a cookie's value alone; `now` and `ends` in whole seconds, no `ends`: never.
  std::string sign(std::string_view name, std::string_view value,
                   std::optional<std::chrono::sys_seconds> ends) const;
  std::optional<std::string> verify(std::string_view name, std::string_view signed_value,
                                    std::chrono::sys_seconds now) const;

 private:
  bool usable() const noexcept;

  std::vector<std::string> keys_;
};

}  // namespace millrace
