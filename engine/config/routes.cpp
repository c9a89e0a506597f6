#include "engine/config/routes.hpp"

#include <millrace/middleware/access_log.hpp>
#include <millrace/middleware/auth.hpp>
#include <millrace/middleware/compress.hpp>
#include <millrace/middleware/cors.hpp>
#include <millrace/middleware/headers.hpp>
#include <millrace/middleware/rate_limit.hpp>

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/base/assert.hpp"
#include "engine/config/plain_middleware.hpp"
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
    case RouteConfig::Kind::metrics: return "metrics";
  }
  MR_UNREACHABLE("a kind of route outside the enumeration");
}

/// An empty string, or a sentence that says why there is none.
std::string make_entry(const RouteConfig& route, detail::Entry& entry) {
  switch (route.kind) {
    case RouteConfig::Kind::respond: entry = make_respond_entry(route); return {};
    case RouteConfig::Kind::redirect: entry = make_redirect_entry(route); return {};
    case RouteConfig::Kind::metrics: entry = make_metrics_entry(); return {};
    case RouteConfig::Kind::files: return files::make_entry(route.path, route.directory, route.files, entry);
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
    case RouteConfig::Kind::metrics: return "counters of the server";
  }
  MR_UNREACHABLE("a kind of route outside the enumeration");
}

RateLimit rate_limit_of(const RateConfig& rate) {
  return rate_limit({.per_second = rate.per_second, .burst = rate.burst});
}

/// Does nothing, in the place of any other.
detail::Middleware no_cors() { return {.kind = &detail::kind_tag<Cors>}; }

/// RFC 6797 section 7.2: never over plain HTTP.
class Hsts {
 public:
  explicit Hsts(std::uint64_t ms) : value_(fmt::format("max-age={}", ms / 1000)) {}
  void after(Request& request, Reply& reply) const {
    if (request.secure() && !reply.header("strict-transport-security"))
      reply.header("Strict-Transport-Security", value_);
  }

 private:
  std::string value_;
};

/// The file that `auth` names, read once however many routes name it; gives its check to `use`. Empty, or what is
/// wrong with the file.
template <class Use>
std::string use_auth(const AuthConfig& auth, SecretFiles& files, const Use& use) {
  using Kind = guard::SecretFile::Kind;
  const Kind kind = auth.users.empty() ? Kind::tokens : Kind::users;
  const std::string& path = auth.users.empty() ? auth.tokens : auth.users;
  auto found = std::find_if(files.begin(), files.end(),
                            [&](const auto& one) { return one->kind() == kind && one->path() == path; });
  if (found == files.end()) {
    auto file = std::make_shared<guard::SecretFile>(kind, path);
    if (std::string problem = file->read(); !problem.empty()) return problem;
    found = files.insert(files.end(), std::move(file));
  }
  if (kind == Kind::users) {
    use(make_plain(basic_auth(auth.realm, [file = *found](std::string_view name, std::string_view password) {
      return file->right_password(name, password);
    })));
  } else {
    use(make_plain(bearer_auth(
        auth.realm, [file = *found](std::string_view token) { return file->right_token(token); })));
  }
  return {};
}

/// The log is the outermost: it tells what the others answer. Guesses at passwords count for the rate limit.
void use_for_all(const Config& config, serve::AppState& state, SecretFiles& files, Report& report) {
  const auto use = [&state](const detail::Middleware& one) {
    state.root().middleware.push_back(&state.keep(one));
  };
  if (!config.access_log.path.empty()) {
    const bool json = config.access_log.format == "json";
    use(make_plain(access_log(
        {.path = config.access_log.path, .format = json ? LogFormat::json : LogFormat::combined})));
  }
  if (config.hsts_ms != 0) use(make_plain(Hsts(config.hsts_ms)));
  if (!config.headers.empty()) use(make_plain(headers(config.headers)));
  if (config.security_headers) use(make_plain(security_headers(*config.security_headers)));
  // A route's own takes this place, so that no preflight is asked for a password.
  use(config.cors ? make_plain(cors(*config.cors)) : no_cors());
  if (config.rate.per_second > 0) use(make_plain(rate_limit_of(config.rate)));
  const std::string problem = config.auth ? use_auth(*config.auth, files, use) : std::string();
  if (!problem.empty()) report.problems.push_back(fmt::format("{}: [auth] {}", config.file, problem));
  if (config.compress) use(make_plain(compress(*config.compress)));
}

/// An empty string, or a sentence that says what is wrong.
std::string use_for_route(const RouteConfig& route, serve::AppState& state, SecretFiles& files) {
  const auto use = [&state](const detail::Middleware& one) { state.use_for_last(one); };
  if (!route.added_headers.empty()) use(make_plain(headers(route.added_headers)));
  if (route.cors) use(make_plain(cors(*route.cors)));
  if (route.without_cors) use(no_cors());
  if (route.rate.per_second > 0) use(make_plain(rate_limit_of(route.rate)));
  if (route.body_bytes_max != 0) use({.body_bytes_max = route.body_bytes_max});
  if (route.auth) {
    if (const std::string problem = use_auth(*route.auth, files, use); !problem.empty())
      return fmt::format("auth: {}", problem);
  }
  if (route.compress) use(make_plain(compress(*route.compress)));
  return {};
}

void add_route(const Config& config, const RouteConfig& route, serve::AppState& state,
               const serve::GroupState& group, SecretFiles& files, Report& report) {
  const auto tell = [&](const std::string& what) {
    report.problems.push_back(fmt::format("{}:{}: {}", config.file, route.line, what));
  };
  detail::Entry entry;
  std::string problem = make_entry(route, entry);
  if (problem.empty()) problem = state.add_to(group, method_of(route), route.path, entry, kind_of(route));
  if (!problem.empty()) return tell(problem);
  problem = use_for_route(route, state, files);
  if (!problem.empty()) tell(problem);
}

/// "/x", or "/x for example.org, *.example.org".
std::string pattern_of(const RouteConfig& route) {
  if (route.hosts.empty()) return route.path;
  return fmt::format("{} for {}", route.path, fmt::join(route.hosts, ", "));
}

}  // namespace

SecretFiles add_routes(const Config& config, App& app, Report& report) {
  serve::AppState& state = serve::state_of(app);
  SecretFiles files;
  use_for_all(config, state, files, report);
  for (const RouteConfig& route : config.routes) {
    if (route.hosts.empty()) add_route(config, route, state, state.root(), files, report);
    for (const std::string& host : route.hosts)
      add_route(config, route, state, state.host(host), files, report);
  }
  // Patterns that differ in their names alone are for the same requests: only the router sees that.
  std::string problem;
  if (serve::Site::build(state, problem) == nullptr) report.problems.push_back(problem);
  return files;
}

std::string table_of_routes(const Config& config) {
  std::vector<std::array<std::string, 4>> rows = {{"METHOD", "PATTERN", "KIND", "TARGET"}};
  for (const RouteConfig& route : config.routes) {
    const std::string_view method = method_of(route);
    rows.push_back(
        {std::string(method == "*" ? "any" : method), pattern_of(route), kind_of(route), target_of(route)});
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
