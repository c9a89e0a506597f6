#include <millrace/middleware/cors.hpp>

#include <algorithm>

namespace millrace {
namespace {

std::string join(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) joined.append(joined.empty() ? "" : ", ").append(text);
  return joined;
}

}  // namespace

Cors::Cors(const CorsOptions& options)
    : origins_(options.origins),
      every_origin_(std::find(origins_.begin(), origins_.end(), "*") != origins_.end()),
      credentials_(options.credentials && !every_origin_),
      methods_(join(options.methods)),
      headers_(join(options.headers)),
      expose_(join(options.expose)),
      max_age_(std::to_string(options.max_age.count())) {}

bool Cors::allows(std::string_view origin) const noexcept {
  return every_origin_ || std::find(origins_.begin(), origins_.end(), origin) != origins_.end();
}

std::optional<Response> Cors::before(Request& request) const {
  if (request.method() != "OPTIONS" || !request.header("access-control-request-method")) return std::nullopt;
  const std::optional<std::string_view> origin = request.header("origin");
  if (!origin) return std::nullopt;  // No browser's preflight.
  Response answer;
  answer.status(204);
  // The answer to one origin, or about one method, is not that to another: caches must know.
  answer.header("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
  if (!allows(*origin)) return answer;
  answer.header("Access-Control-Allow-Origin", every_origin_ ? "*" : *origin);
  answer.header("Access-Control-Allow-Methods", methods_);
  if (!headers_.empty()) answer.header("Access-Control-Allow-Headers", headers_);
  if (credentials_) answer.header("Access-Control-Allow-Credentials", "true");
  answer.header("Access-Control-Max-Age", max_age_);
  return answer;
}

void Cors::after(Request& request, Reply& reply) const {
  if (!every_origin_) reply.header("Vary", "Origin");
  const std::optional<std::string_view> origin = request.header("origin");
  if (!origin || !allows(*origin)) return;
  reply.set_header("Access-Control-Allow-Origin", every_origin_ ? "*" : *origin);
  if (credentials_) reply.set_header("Access-Control-Allow-Credentials", "true");
  if (!expose_.empty()) reply.set_header("Access-Control-Expose-Headers", expose_);
}

}  // namespace millrace
