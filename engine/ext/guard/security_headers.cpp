#include <millrace/middleware/headers.hpp>

namespace millrace {

Headers security_headers(const SecurityHeaders& fields) {
  Headers::Fields chosen;
  const auto add = [&chosen](const char* name, const std::string& value) {
    if (!value.empty()) chosen.emplace_back(name, value);
  };
  add("X-Content-Type-Options", fields.content_type_options);
  add("X-Frame-Options", fields.frame_options);
  add("Referrer-Policy", fields.referrer_policy);
  add("Cross-Origin-Opener-Policy", fields.cross_origin_opener_policy);
  add("Content-Security-Policy", fields.content_security_policy);
  add("Permissions-Policy", fields.permissions_policy);
  add("Strict-Transport-Security", fields.strict_transport_security);
  return Headers(std::move(chosen));
}

}  // namespace millrace
