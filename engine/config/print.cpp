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
    if (setting.section == "tls" && setting.key == "key") text += show_certificates(config.server);
  }
  text += show_all(config);
  for (const RouteConfig& route : config.routes) text += show(route);
  return text;
}

}  // namespace millrace::config
