// auth.hpp: who may come in: a name and a password, or a token. Source: RFC 7617, RFC 6750.
//
//   app.group("/admin").use(mr::basic_auth("admin", [](std::string_view name, std::string_view password) {
//     return name == "ada" && mr::same_secret(password, secret);
//   }));
//
// Both send the secret with each request: over TLS, or a network you trust.
#pragma once

#include <millrace/namespace.hpp>
#include <millrace/request.hpp>
#include <millrace/response.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace millrace {

/// Equality in a time that tells nothing of where the texts differ; their lengths are no secret.
bool same_secret(std::string_view a, std::string_view b) noexcept;

/// Called by all cores at once. May throw, as any middleware.
using PasswordCheck = std::function<bool(std::string_view name, std::string_view password)>;
using TokenCheck = std::function<bool(std::string_view token)>;

/// 401 with WWW-Authenticate where the credentials are missing, malformed or wrong.
class BasicAuth {
 public:
  /// realm: shown to people; printable ASCII without quotes and backslashes, else every answer is a 500.
  BasicAuth(std::string_view realm, PasswordCheck check);
  std::optional<Response> before(Request& request) const;

 private:
  std::string challenge_;
  PasswordCheck check_;
};
inline BasicAuth basic_auth(std::string_view realm, PasswordCheck check) { return {realm, std::move(check)}; }

class BearerAuth {
 public:
  BearerAuth(std::string_view realm, TokenCheck check);
  std::optional<Response> before(Request& request) const;

 private:
  std::string challenge_;
  TokenCheck check_;
};
inline BearerAuth bearer_auth(std::string_view realm, TokenCheck check) { return {realm, std::move(check)}; }

}  // namespace millrace
