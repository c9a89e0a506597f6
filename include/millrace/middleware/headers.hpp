// headers.hpp: fields that every reply gets.
//
//   app.use(mr::headers({{"Cache-Control", "no-store"}}), mr::security_headers(), mr::request_id());
#pragma once

#include <millrace/namespace.hpp>
#include <millrace/reply.hpp>
#include <millrace/request.hpp>

#include <string>
#include <utility>
#include <vector>

namespace millrace {

/// Fields by name and value. One that the reply has already stays as it is; an invalid one makes each reply a 500.
class Headers {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;
  explicit Headers(Fields fields) : fields_(std::move(fields)) {}
  void after(Request&, Reply& reply) const {
    for (const auto& [name, value] : fields_) {
      if (!reply.header(name)) reply.header(name, value);
    }
  }

 private:
  Fields fields_;
};

inline Headers headers(Headers::Fields fields) { return Headers(std::move(fields)); }

/// What browsers are told; an empty text leaves its field out.
struct SecurityHeaders {
  std::string content_type_options = "nosniff";
  std::string frame_options = "DENY";
  std::string referrer_policy = "strict-origin-when-cross-origin";
  std::string cross_origin_opener_policy = "same-origin";
  std::string content_security_policy = {};  ///< Such as "default-src 'self'": no default fits every page.
  std::string permissions_policy = {};       ///< Such as "camera=(), microphone=()".
  std::string strict_transport_security =
      {};  ///< Such as "max-age=31536000": for https alone, and hard to take back.
};
Headers security_headers(const SecurityHeaders& fields = {});

/// Sends Request::id() back as X-Request-Id, so that a client's report can be found in the log.
class RequestIdHeader {
 public:
  void after(Request& request, Reply& reply) const { reply.set_header("X-Request-Id", request.id()); }
};
inline RequestIdHeader request_id() noexcept { return {}; }

}  // namespace millrace
