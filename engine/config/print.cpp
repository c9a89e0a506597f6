#include <fmt/format.h>

#include "engine/base/assert.hpp"
#include "engine/config/config.hpp"
#include "engine/config/value.hpp"

namespace millrace::config {
namespace {

std::string show_fields(const FieldList& fields) {
  std::string text;
  for (const auto& [name, value] : fields)
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", quoted(name), quoted(value));
  return text.empty() ? text : fmt::format("headers = {{ {} }}", text);
}

std::string show_headers(const RouteConfig& route) {
  const std::string text = show_fields(route.headers);
  return text.empty() ? text : ", " + text;
}

std::string show_list(std::span<const std::string> texts) {
  std::string text;
  for (const std::string& one : texts) text += fmt::format("{}{}", text.empty() ? "" : ", ", quoted(one));
  return fmt::format("[{}]", text);
}

std::string show_types(const CompressOptions& options, std::string_view before) {
  return options.types.empty() ? std::string()
                               : fmt::format("{}types = {}", before, show_list(options.types));
}

/// Separated by `end`: a line each in a section, or within braces.
std::string show_compress(const CompressOptions& options, std::string_view end) {
  return fmt::format("min = \"{}\"{}max = \"{}\"{}", show_size(options.bytes_min), end,
                     show_size(options.bytes_max), show_types(options, end));
}

std::string show_auth(const AuthConfig& auth, std::string_view end) {
  const bool basic = !auth.users.empty();
  return fmt::format("{} = {}{}realm = {}", basic ? "users" : "tokens",
                     quoted(basic ? auth.users : auth.tokens), end, quoted(auth.realm));
}

std::string show_cors(const CorsOptions& cors, std::string_view end) {
  std::string text = fmt::format("origins = {}{}methods = {}{}headers = {}{}", show_list(cors.origins), end,
                                 show_list(cors.methods), end, show_list(cors.headers), end);
  if (!cors.expose.empty()) text += fmt::format("expose = {}{}", show_list(cors.expose), end);
  return text +
         fmt::format("credentials = {}{}max_age = \"{}s\"", cors.credentials, end, cors.max_age.count());
}

std::string show_security(const SecurityHeaders& fields) {
  return fmt::format(
      "content_type_options = {}\nframe_options = {}\nreferrer_policy = {}\ncross_origin_opener_policy = {}\n"
      "content_security_policy = {}\npermissions_policy = {}\n",
      quoted(fields.content_type_options), quoted(fields.frame_options), quoted(fields.referrer_policy),
      quoted(fields.cross_origin_opener_policy), quoted(fields.content_security_policy),
      quoted(fields.permissions_policy));
}

/// What stands around a route, a line each.
std::string show_around(const RouteConfig& route) {
  std::string text;
  for (const std::string& host : route.hosts)
    text += fmt::format("{}{}", text.empty() ? "" : ", ", quoted(host));
  if (!text.empty()) text = fmt::format("hosts = [{}]\n", text);
  if (!route.added_headers.empty()) text += show_fields(route.added_headers) + "\n";
  if (route.rate.per_second > 0)
    text += fmt::format("rate_limit = {{ per_second = {}, burst = {} }}\n", route.rate.per_second,
                        route.rate.burst);
  if (route.compress) text += fmt::format("compress = {{ {} }}\n", show_compress(*route.compress, ", "));
  if (route.cors) text += fmt::format("cors = {{ {} }}\n", show_cors(*route.cors, ", "));
  if (route.without_cors) text += "cors = false\n";
  if (route.auth) text += fmt::format("auth = {{ {} }}\n", show_auth(*route.auth, ", "));
  if (route.body_bytes_max != 0) text += fmt::format("body = \"{}\"\n", show_size(route.body_bytes_max));
  return text;
}

std::string show_all(const Config& config) {
  std::string text;
  if (!config.access_log.path.empty())
    text += fmt::format("\n[access_log]\npath = {}\nformat = {}\n", quoted(config.access_log.path),
                        quoted(config.access_log.format));
  if (!config.headers.empty()) {
    text += "\n[headers]\n";
    for (const auto& [name, value] : config.headers)
      text += fmt::format("{} = {}\n", quoted(name), quoted(value));
  }
  if (config.rate.per_second > 0)
    text += fmt::format("\n[rate_limit]\nper_second = {}\nburst = {}\n", config.rate.per_second,
                        config.rate.burst);
  if (config.compress) text += fmt::format("\n[compress]\n{}\n", show_compress(*config.compress, "\n"));
  if (config.cors) text += fmt::format("\n[cors]\n{}\n", show_cors(*config.cors, "\n"));
  if (config.security_headers) text += "\n[security_headers]\n" + show_security(*config.security_headers);
  if (config.auth) text += fmt::format("\n[auth]\n{}\n", show_auth(*config.auth, "\n"));
  return text;
}

std::string show(const RouteConfig& route) {
  std::string text = fmt::format("\n[[route]]{}\npath = {}\n",
                                 route.line == 0 ? "  # built in" : fmt::format("  # line {}", route.line),
                                 quoted(route.path));
  text += show_around(route);
  switch (route.kind) {
    case RouteConfig::Kind::respond:
      return text + fmt::format("respond = {{ status = {}, type = {}, body = {}{} }}\n", route.status,
                                quoted(route.type), quoted(route.body), show_headers(route));
    case RouteConfig::Kind::redirect:
      return text + fmt::format("redirect = {{ to = {}, status = {} }}\n", quoted(route.to), route.status);
    case RouteConfig::Kind::files: return text + fmt::format("files = {}\n", quoted(route.directory));
    case RouteConfig::Kind::metrics: return text + "metrics = true\n";
  }
  MR_UNREACHABLE("a kind of route outside the enumeration");
}

std::string show_certificates(const ServerOptions& options) {
  std::string text;
  for (const TlsCertificate& one : options.tls_certificates) {
    std::string hosts;
    for (const std::string& host : one.hosts)
      hosts += fmt::format("{}{}", hosts.empty() ? ", hosts = [" : ", ", quoted(host));
    text += fmt::format("{}  {{ cert = {}, key = {}{} }}", text.empty() ? "" : ",\n", quoted(one.cert),
                        quoted(one.key), hosts.empty() ? hosts : hosts + "]");
  }
  return text.empty() ? text : fmt::format("certificates = [\n{}\n]\n", text);
}

}  // namespace

std::string print(const Config& config, std::string_view backend_here) {
  std::string text;
  std::string_view section;
  for (std::size_t index = 0; index < settings_count; ++index) {
    const Setting& setting = settings[index];
    if (setting.section != section)
      text += fmt::format("{}[{}]\n", section.empty() ? "" : "\n", setting.section);
    section = setting.section;
    const std::string& origin = config.origins[index];
    text += fmt::format("{:<40}  # {}", fmt::format("{} = {}", setting.key, show(setting, config.server)),
                        origin.empty() ? "default" : origin);
    text += setting.kind == Kind::backend ? fmt::format(": {}\n", backend_here) : "\n";
    if (setting.section == "tls" && setting.key == "key") {
      if (config.hsts_ms != 0) text += fmt::format("hsts = \"{}\"\n", show_duration(config.hsts_ms));
      text += show_certificates(config.server);
    }
  }
  text += show_all(config);
  for (const RouteConfig& route : config.routes) text += show(route);
  return text;
}

}  // namespace millrace::config
