#include "engine/config/routes.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include <fmt/format.h>

#include "engine/base/assert.hpp"
#include "engine/config/route_entry.hpp"
#include "engine/ext/files/files.hpp"
#include "engine/serve/app_state.hpp"
#include "engine/serve/site.hpp"

namespace millrace::config {
namespace {

/// A redirect is for every method, as 307 and 308 keep it; the rest is read. HEAD goes with GET.
const char* method_of(const RouteConfig& route) {
  return route.kind == RouteConfig::Kind::redirect ? "*" : "GET";
}

const char* kind_of(const RouteConfig& route) {
  switch (route.kind) {
    case RouteConfig::Kind::respond: return "respond";
    case RouteConfig::Kind::redirect: return "redirect";
    case RouteConfig::Kind::files: return "files";
  }
  MR_UNREACHABLE("a kind of route outside the enumeration");
}

Result<detail::Entry> entry_of(const RouteConfig& route) {
  switch (route.kind) {
    case RouteConfig::Kind::respond: return make_respond_entry(route);
    case RouteConfig::Kind::redirect: return make_redirect_entry(route);
    case RouteConfig::Kind::files: return files::make_entry(route.path, route.directory);
  }
  MR_UNREACHABLE("a kind of route outside the enumeration");
}

std::string target_of(const RouteConfig& route) {
  switch (route.kind) {
    case RouteConfig::Kind::respond:
      return fmt::format("{}, {} bytes{}{}", route.status, route.body.size(),
                         route.type.empty() ? "" : " of ", route.type);
    case RouteConfig::Kind::redirect: return fmt::format("{} to {}", route.status, route.to);
    case RouteConfig::Kind::files: return route.directory;
  }
  MR_UNREACHABLE("a kind of route outside the enumeration");
}

}  // namespace

void add_routes(const Config& config, App& app, Report& report) {
  serve::AppState& state = serve::state_of(app);
  for (const RouteConfig& route : config.routes) {
    const auto tell = [&](const std::string& what) {
      report.problems.push_back(fmt::format("{}:{}: {}", config.file, route.line, what));
    };
    const Result<detail::Entry> entry = entry_of(route);
    if (!entry) {
      tell(fmt::format("files = \"{}\": {}", route.directory, std::strerror(entry.error().os_errno)));
    } else if (const std::string problem =
                   state.add(method_of(route), route.path, entry.value(), kind_of(route));
               !problem.empty()) {
      tell(problem);
    }
  }
  // Patterns that differ in their names alone are for the same requests: only the router sees that.
  std::string problem;
  if (serve::Site::build(state, problem) == nullptr) report.problems.push_back(problem);
}

std::string table_of_routes(const Config& config) {
  std::vector<std::array<std::string, 4>> rows = {{"METHOD", "PATTERN", "KIND", "TARGET"}};
  for (const RouteConfig& route : config.routes) {
    const std::string_view method = method_of(route);
    rows.push_back(
        {std::string(method == "*" ? "any" : method), route.path, kind_of(route), target_of(route)});
  }
  std::array<std::size_t, 3> widths = {};
  for (const auto& row : rows) {
    for (std::size_t column = 0; column < widths.size(); ++column)
      widths[column] = std::max(widths[column], row[column].size());
  }
  std::string text;
  for (const auto& row : rows)
    text += fmt::format("{:<{}}  {:<{}}  {:<{}}  {}\n", row[0], widths[0], row[1], widths[1], row[2],
                        widths[2], row[3]);
  return text;
}

}  // namespace millrace::config
