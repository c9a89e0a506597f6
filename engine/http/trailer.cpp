#include "engine/http/trailer.hpp"

#include "engine/http/framing.hpp"

namespace millrace::http {

bool forbidden_in_trailer(std::string_view name) noexcept {
  constexpr std::string_view forbidden[] = {
      "content-length",
      "transfer-encoding",
      "trailer",
      "te",  // Framing.
      "host",
      "connection",
      "keep-alive",
      "upgrade",
      "proxy-connection",
      "via",
      "forwarded",  // Routing.
      "cache-control",
      "expect",
      "max-forwards",
      "pragma",
      "range",  // Modifiers.
      "if-match",
      "if-none-match",
      "if-modified-since",
      "if-unmodified-since",
      "if-range",  //
      "authorization",
      "proxy-authorization",
      "www-authenticate",
      "proxy-authenticate",  // Identity.
      "authentication-info",
      "proxy-authentication-info",
      "cookie",
      "set-cookie",  //
      "content-encoding",
      "content-type",
      "content-range",  // Format.
  };
  for (const std::string_view entry : forbidden) {
    if (equal_ignoring_case(name, entry)) return true;
  }
  return name.size() > 12 && equal_ignoring_case(name.substr(0, 12), "x-forwarded-");
}

}  // namespace millrace::http
