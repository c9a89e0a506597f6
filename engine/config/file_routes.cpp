#include <sys/stat.h>
#include <millrace/response.hpp>
#include <millrace/route_pattern.hpp>

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "engine/base/assert.hpp"
#include "engine/config/toml.hpp"

namespace millrace::config {
namespace {

using Names = std::span<const std::string_view>;
constexpr std::array<std::string_view, 12> route_keys = {"path",    "respond",  "redirect", "files",
                                                         "metrics", "hosts",    "headers",  "rate_limit",
                                                         "body",    "compress", "cors",     "auth"};
constexpr std::array<std::string_view, 4> respond_keys = {"status", "type", "body", "headers"};
constexpr std::array<std::string_view, 2> redirect_keys = {"to", "status"};
constexpr std::array<std::int64_t, 5> redirect_statuses = {301, 302, 303, 307, 308};

bool known_key(const toml::key& key, Names known) {
  return std::find(known.begin(), known.end(), key.str()) != known.end();
}

bool take_text(const toml::key& key, const toml::node& node, std::string_view what, std::string& out,
               FileProblems& problems) {
  if (const auto* text = node.as_string()) {
    out = text->get();
    return true;
  }
  problems.add(key, fmt::format("{} = {}: expected a text", what, show(node)));
  return false;
}

void read_status(const toml::node& node, RouteConfig& route, FileProblems& problems) {
  const auto* status = node.as_integer();
  if (status != nullptr && status->get() >= 200 && status->get() <= 599)
    route.status = static_cast<std::uint16_t>(status->get());
  else
    problems.add(node, fmt::format("respond status = {}: expected a status from 200 to 599", show(node)));
}

void read_type(const toml::key& key, const toml::node& node, RouteConfig& route, FileProblems& problems) {
  if (!take_text(key, node, "respond type", route.type, problems)) return;
  Response judge;
  judge.content_type(route.type);
  if (judge.problem() != nullptr) problems.add(key, fmt::format("respond type: {}", judge.problem()));
}

void read_respond(const toml::node& node, RouteConfig& route, FileProblems& problems) {
  route.kind = RouteConfig::Kind::respond;
  route.type = "text/plain; charset=utf-8";
  const toml::table* table = node.as_table();
  if (table == nullptr)
    return problems.add(node, fmt::format("respond = {}: expected a table such as {{ status = 200, body = "
                                          "\"ok\" }}",
                                          show(node)));
  for (const auto& [key, value] : *table) {
    if (!known_key(key, respond_keys)) {
      unknown_key(key, "respond", respond_keys, problems);
    } else if (key.str() == "status") {
      read_status(value, route, problems);
    } else if (key.str() == "headers") {
      read_headers(value, "respond headers", route.headers, problems);
    } else if (key.str() == "body") {
      take_text(key, value, "respond body", route.body, problems);
    } else {
      read_type(key, value, route, problems);
    }
  }
  const bool bodiless = route.status == 204 || route.status == 205 || route.status == 304;
  if (bodiless && !route.body.empty())
    problems.add(node, fmt::format("respond: an answer {} has no body", route.status));
}

void check_location(const toml::node& node, const std::string& to, FileProblems& problems) {
  const bool absolute = to.starts_with("http://") || to.starts_with("https://");
  const bool odd = std::any_of(to.begin(), to.end(), [](char c) { return c <= ' ' || c > '~'; });
  if ((!absolute && !to.starts_with('/')) || odd)
    problems.add(node, fmt::format("redirect to {}: expected a path such as \"/new\" or an http(s) address, "
                                   "percent-encoded",
                                   show(node)));
}

void read_redirect(const toml::node& node, RouteConfig& route, FileProblems& problems) {
  route.kind = RouteConfig::Kind::redirect;
  route.status = 301;
  const toml::table* table = node.as_table();
  const toml::node* to = table != nullptr ? table->get("to") : &node;
  if (to == nullptr || !to->is_string())
    problems.add(node, "redirect: expected a text, or a table such as { to = \"/new\", status = 308 }");
  else
    check_location(*to, route.to = to->as_string()->get(), problems);
  if (table == nullptr) return;
  for (const auto& [key, value] : *table) {
    if (!known_key(key, redirect_keys)) unknown_key(key, "redirect", redirect_keys, problems);
    if (key.str() != "status") continue;
    const auto* status = value.as_integer();
    if (status != nullptr && std::find(redirect_statuses.begin(), redirect_statuses.end(), status->get()) !=
                                 redirect_statuses.end())
      route.status = static_cast<std::uint16_t>(status->get());
    else
      problems.add(key, fmt::format("redirect status = {}: expected 301, 302, 303, 307 or 308", show(value)));
  }
}

void read_files(const toml::key& key, const toml::node& node, RouteConfig& route, FileProblems& problems) {
  route.kind = RouteConfig::Kind::files;
  if (!take_text(key, node, "files", route.directory, problems)) return;
  struct stat status = {};
  if (stat(route.directory.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
    problems.add(key, fmt::format("files = {}: no such directory (paths are relative to where the server is "
                                  "started)",
                                  show(node)));
}

void read_metrics(const toml::node& node, RouteConfig& route, FileProblems& problems) {
  route.kind = RouteConfig::Kind::metrics;
  const auto* on = node.as_boolean();
  if (on != nullptr && on->get()) return;
  problems.add(node, fmt::format("metrics = {}: expected true; a route without it has none", show(node)));
}

void read_route_cors(const toml::node& node, RouteConfig& route, FileProblems& problems) {
  const auto* flag = node.as_boolean();
  if (flag != nullptr && !flag->get())
    route.without_cors = true;
  else
    read_cors(node, "cors", route.cors, problems);
}

const char* fault_of(detail::PatternFault fault) {
  using enum detail::PatternFault;
  switch (fault) {
    case none: return "";
    case no_leading_slash: return "expected a slash in front";
    case empty_segment: return "a part between two slashes is empty";
    case bad_character: return "holds a character that no decoded path has, such as `?`, `#` or `%`";
    case stray_brace: return "a {parameter} must be the whole of a part between two slashes";
    case bad_parameter_name: return "the name of a {parameter} is made of letters, digits and `_`";
    case parameter_twice: return "names a {parameter} twice";
    case stray_wildcard: return "`*` may only be the whole last part, as in \"/static/*\"";
    case too_many_parameters: return "has more than 8 parameters";
  }
  MR_UNREACHABLE("a PatternFault outside the enumeration");
}

void read_path(const toml::table& table, RouteConfig& route, FileProblems& problems) {
  const toml::node* path = table.get("path");
  if (path == nullptr) return problems.add(table, "[[route]] has no `path`");
  if (!path->is_string())
    return problems.add(*path, fmt::format("path = {}: expected a text such as \"/static/*\"", show(*path)));
  route.path = path->as_string()->get();
  const detail::PatternShape shape = detail::read_pattern(route.path);
  if (shape.fault != detail::PatternFault::none)
    problems.add(*path, fmt::format("path = {}: {}", show(*path), fault_of(shape.fault)));
  else if (route.kind == RouteConfig::Kind::files && (!shape.wildcard || shape.parameters != 0))
    problems.add(*path,
                 fmt::format("path = {}: a route of files ends in `/*` and has no parameters", show(*path)));
}

/// For the nearest of an unknown one.
std::vector<std::string_view> all_route_keys() {
  std::vector<std::string_view> keys(route_keys.begin(), route_keys.end());
  keys.insert(keys.end(), files_option_keys().begin(), files_option_keys().end());
  return keys;
}

RouteConfig read_route(const toml::table& table, FileProblems& problems) {
  RouteConfig route;
  route.line = table.source().begin.line;
  int kinds = 0;
  bool later = false;
  const toml::key* files_option = nullptr;
  for (const auto& [key, node] : table) {
    if (known_key(key, files_option_keys())) {
      files_option = &key;
      read_files_option(key, node, route.files, problems);
      continue;
    }
    if (!known_key(key, route_keys)) {
      unknown_key(key, "[[route]]", all_route_keys(), problems);
      later = true;
      continue;
    }
    const bool is_kind =
        key.str() == "respond" || key.str() == "redirect" || key.str() == "files" || key.str() == "metrics";
    kinds += is_kind ? 1 : 0;
    if (key.str() == "hosts") read_hosts(key, node, route.hosts, problems);
    if (key.str() == "headers") read_headers(node, "headers", route.added_headers, problems);
    if (key.str() == "rate_limit") read_rate_limit(node, "rate_limit", route.rate, problems);
    if (key.str() == "body") read_body_limit(key, node, route.body_bytes_max, problems);
    if (key.str() == "compress") read_compress(node, "compress", route.compress, problems);
    if (key.str() == "cors") read_route_cors(node, route, problems);
    if (key.str() == "auth") read_auth(node, "auth", route.auth, problems);
    if (key.str() == "respond") read_respond(node, route, problems);
    if (key.str() == "redirect") read_redirect(node, route, problems);
    if (key.str() == "files") read_files(key, node, route, problems);
    if (key.str() == "metrics") read_metrics(node, route, problems);
  }
  if (kinds > 1)
    problems.add(
        table, "[[route]] has several of `respond`, `redirect`, `files` and `metrics`; it needs exactly one");
  else if (kinds == 0 && !later)
    problems.add(table, "[[route]] needs one of `respond`, `redirect`, `files` and `metrics`");
  if (files_option != nullptr && kinds == 1 && route.kind != RouteConfig::Kind::files)
    problems.add(*files_option, fmt::format("`{}` is an option of a route of `files`", files_option->str()));
  read_path(table, route, problems);
  return route;
}

}  // namespace

void read_routes(const toml::node& node, Config& config, FileProblems& problems) {
  const toml::array* routes = node.as_array();
  if (routes == nullptr || !routes->is_array_of_tables())
    return problems.add(node, "`route` is a list: write [[route]] with two brackets on a line of its own");
  for (const toml::node& element : *routes) {
    RouteConfig route = read_route(*element.as_table(), problems);
    for (const RouteConfig& other : config.routes) {
      if (!route.path.empty() && other.path == route.path && other.hosts == route.hosts)
        problems.add(element, fmt::format("path = \"{}\": line {} has a route for it already", route.path,
                                          other.line));
    }
    config.routes.push_back(std::move(route));
  }
}

}  // namespace millrace::config
