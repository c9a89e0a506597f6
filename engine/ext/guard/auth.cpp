#include <millrace/middleware/auth.hpp>

#include "engine/ext/guard/base64.hpp"
#include "engine/ext/guard/credentials.hpp"
#include "engine/http/framing.hpp"

namespace millrace {
namespace {

/// What stands behind the scheme in the one Authorization field; nothing for another scheme.
std::optional<std::string_view> credentials(const Request& request, std::string_view scheme) noexcept {
  const std::optional<std::string_view> field = request.header("authorization");
  if (!field || field->size() <= scheme.size() || (*field)[scheme.size()] != ' ') return std::nullopt;
  if (!http::equal_ignoring_case(field->substr(0, scheme.size()), scheme)) return std::nullopt;
  std::string_view rest = field->substr(scheme.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return rest;
}

Response refuse(const std::string& challenge) {
  return Response("401 Unauthorized\n").status(401).header("WWW-Authenticate", challenge);
}

std::string challenge_of(std::string_view scheme, std::string_view realm) {
  // A quote would end the realm's: made invalid, so that it is noticed at the first answer.
  const bool odd = realm.find_first_of("\"\\") != realm.npos;
  return std::string(scheme).append(" realm=\"").append(odd ? std::string_view("\n") : realm).append("\"");
}

}  // namespace

bool same_secret(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned>(static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]));
    asm volatile("" : "+r"(difference));  // The compiler must not see where it could stop.
  }
  return difference == 0;
}

BasicAuth::BasicAuth(std::string_view realm, PasswordCheck check)
    : challenge_(challenge_of("Basic", realm) + ", charset=\"UTF-8\""), check_(std::move(check)) {}

std::optional<guard::BasicCredentials> guard::basic_credentials(const Request& request) {
  const auto sent = credentials(request, "Basic");
  const std::optional<std::string> decoded = sent ? from_base64(*sent) : std::nullopt;
  if (!decoded) return std::nullopt;
  const std::size_t colon = decoded->find(':');
  if (colon == std::string::npos) return std::nullopt;
  return BasicCredentials{decoded->substr(0, colon), decoded->substr(colon + 1)};
}

std::optional<Response> BasicAuth::before(Request& request) const {
  const auto sent = guard::basic_credentials(request);
  if (sent && check_(sent->name, sent->password)) return std::nullopt;
  return refuse(challenge_);
}

BearerAuth::BearerAuth(std::string_view realm, TokenCheck check)
    : challenge_(challenge_of("Bearer", realm)), check_(std::move(check)) {}

std::optional<Response> BearerAuth::before(Request& request) const {
  const auto token = credentials(request, "Bearer");
  if (!token) return refuse(challenge_);
  if (!token->empty() && check_(*token)) return std::nullopt;
  return refuse(challenge_ + ", error=\"invalid_token\"");
}

}  // namespace millrace
