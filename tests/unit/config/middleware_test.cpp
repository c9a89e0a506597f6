// Goal: what the file puts around routes: read, printed so that it reads back, and refused with the place.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "engine/config/config.hpp"
#include "engine/config/routes.hpp"

using namespace millrace;
using namespace millrace::config;

namespace {

constexpr const char* whole = R"([access_log]
path = "/tmp/log"
format = "json"
[headers]
X-Served-By = "one"
[rate_limit]
per_second = 100
[compress]
min = "2k"
types = ["text/*", "font/ttf"]
[cors]
origins = ["https://a.example"]
credentials = true
max_age = "1h"
[security_headers]
frame_options = ""
content_security_policy = "default-src 'self'"
[auth]
users = "/etc/users"
realm = "All of it"
[[route]]
path = "/a"
respond = { body = "a" }
hosts = ["example.org", "*.example.org"]
headers = { Cache-Control = "max-age=60" }
rate_limit = { per_second = 0.5, burst = 2 }
body = "16k"
compress = { min = 10 }
cors = { origins = ["https://b.example"], methods = ["GET"], expose = ["X-Count"], max_age = "5s" }
auth = { tokens = "/etc/tokens" }
[[route]]
path = "/a"
respond = { body = "b" }
cors = false
)";

Config read(const std::string& text) {
  Config config;
  Report report;
  apply_file_text(text, "m.toml", config, report);
  CHECK(report.problems == std::vector<std::string>());
  return config;
}

std::string problem_of(const std::string& text) {
  Config config;
  Report report;
  apply_file_text(text, "m.toml", config, report);
  REQUIRE(report.problems.size() == 1);
  return report.problems[0];
}

std::string with_route(const std::string& line) {
  return "[[route]]\npath = \"/\"\nredirect = \"/x\"\n" + line + "\n";
}

}  // namespace

TEST_CASE("file: what stands around routes is read, and printed so that it reads back") {
  const Config first = read(whole);
  const std::string printed = print(first, "");
  CAPTURE(printed);
  const Config again = read(printed.substr(printed.find("[access_log]")));
  for (const Config* config : {&first, &again}) {
    CHECK(config->access_log.path == "/tmp/log");
    CHECK(config->access_log.format == "json");
    CHECK(config->headers == FieldList{{"X-Served-By", "one"}});
    CHECK(config->rate.per_second == 100);
    CHECK(config->rate.burst == 100);
    REQUIRE((config->compress && config->cors && config->security_headers && config->auth));
    CHECK(config->compress->bytes_min == 2048);
    CHECK(config->compress->types == std::vector<std::string>{"text/*", "font/ttf"});
    CHECK(config->cors->origins == std::vector<std::string>{"https://a.example"});
    CHECK(config->cors->methods == CorsOptions().methods);
    CHECK(config->cors->credentials);
    CHECK(config->cors->max_age == std::chrono::hours(1));
    CHECK(config->security_headers->frame_options.empty());
    CHECK(config->security_headers->content_type_options == "nosniff");
    CHECK(config->security_headers->content_security_policy == "default-src 'self'");
    CHECK(config->auth->users == "/etc/users");
    CHECK(config->auth->realm == "All of it");
    REQUIRE(config->routes.size() == 2);
    const RouteConfig& route = config->routes[0];
    CHECK(route.hosts == std::vector<std::string>{"example.org", "*.example.org"});
    CHECK(route.added_headers == FieldList{{"Cache-Control", "max-age=60"}});
    CHECK(route.rate.per_second == 0.5);
    CHECK(route.rate.burst == 2);
    CHECK(route.body_bytes_max == 16384);
    REQUIRE((route.compress && route.auth));
    CHECK(route.compress->bytes_min == 10);
    CHECK(route.compress->types.empty());
    REQUIRE(route.cors);
    CHECK(route.cors->origins == std::vector<std::string>{"https://b.example"});
    CHECK(route.cors->methods == std::vector<std::string>{"GET"});
    CHECK(route.cors->headers == CorsOptions().headers);
    CHECK(route.cors->expose == std::vector<std::string>{"X-Count"});
    CHECK(route.cors->max_age == std::chrono::seconds(5));
    CHECK(!route.without_cors);
    CHECK(route.auth->tokens == "/etc/tokens");
    CHECK(route.auth->realm == "private");
    CHECK(config->routes[1].hosts.empty());
    CHECK(config->routes[1].without_cors);
    CHECK(!config->routes[1].cors);
  }
  CHECK(table_of_routes(first).find("/a for example.org, *.example.org") != std::string::npos);
}

TEST_CASE("file: sizes as plain numbers, and a duration for HSTS") {
  CHECK(read(with_route("body = 4096")).routes[0].body_bytes_max == 4096);
  CHECK(read("[tls]\nhsts = \"365d\"\n").hsts_ms == 365ull * 86'400'000);
}

TEST_CASE("file: faults of what stands around routes name line, key and what was expected") {
  CHECK(problem_of("[access_log]\npth = \"x\"\n").starts_with("m.toml:1: [access_log] needs a `path`"));
  CHECK(problem_of("[access_log]\npath = \"x\"\nfromat = \"json\"\n") ==
        "m.toml:3: unknown key `fromat` in [access_log]; the nearest is `format`");
  CHECK(problem_of("[access_log]\npath = \"x\"\nformat = \"xml\"\n") ==
        "m.toml:3: [access_log] format = \"xml\": expected \"combined\" or \"json\"");
  CHECK(problem_of("[access_log]\npath = 1\n") == "m.toml:2: [access_log] path = 1: expected a text");
  CHECK(problem_of("access_log = \"x\"\n").starts_with("m.toml:1: [access_log] needs a `path`"));
  CHECK(problem_of("[headers]\n\"a b\" = \"x\"\n") ==
        "m.toml:2: [headers] a b: the response has a header whose name is no token");
  CHECK(problem_of("[headers]\nA = 1\n") == "m.toml:2: [headers] A = 1: expected a text");
  CHECK(problem_of("[rate_limit]\nburst = 3\n")
            .starts_with("m.toml:1: [rate_limit]: expected a table such as"));
  CHECK(problem_of("[rate_limit]\nper_second = 0\n").find("expected a number from 0.0001") !=
        std::string::npos);
  CHECK(problem_of("[rate_limit]\nper_second = 1\nburst = 0.5\n")
            .starts_with("m.toml:3: [rate_limit] burst = 0.5"));
  CHECK(problem_of("[rate_limit]\nper_second = \"5\"\n")
            .starts_with("m.toml:2: [rate_limit] per_second = \"5\": expected a number from 0.0001"));
  CHECK(problem_of("[rate_limit]\nper_second = 1\nbrust = 2\n") ==
        "m.toml:3: unknown key `brust` in [rate_limit]; the nearest is `burst`");
  CHECK(problem_of("[rate_limt]\nper_second = 1\n").find("the nearest is `rate_limit`") != std::string::npos);
  CHECK(problem_of(with_route("hosts = []")).starts_with("m.toml:4: hosts = [...]: expected a list"));
  CHECK(problem_of(with_route("hosts = [\"a:80\"]")) ==
        "m.toml:4: hosts: \"a:80\": it has a port, or a dot at its end");
  CHECK(problem_of(with_route("body = 0")).starts_with("m.toml:4: body = 0: expected a size"));
  CHECK(problem_of(with_route("headers = 1")) == "m.toml:4: headers = 1: expected a table of texts");
  CHECK(
      problem_of(with_route("rate_limit = 5")).starts_with("m.toml:4: rate_limit: expected a table such as"));
  CHECK(problem_of("[compress]\nmni = 1\n") ==
        "m.toml:2: unknown key `mni` in [compress]; the nearest is `min`");
  CHECK(problem_of("[compress]\nmin = \"many\"\n") ==
        "m.toml:2: [compress] min = \"many\": expected a size from 0 to 1t bytes, such as 1024 or \"1k\"");
  CHECK(problem_of("[compress]\ntypes = [\"html\"]\n") ==
        "m.toml:1: [compress] types: \"html\": expected a media type such as \"text/html\" or \"text/*\"");
  CHECK(problem_of("[cors]\norigin = [\"*\"]\n") ==
        "m.toml:2: unknown key `origin` in [cors]; the nearest is `origins`");
  CHECK(problem_of("[cors]\norigins = [\"*\"]\nmethods = \"GET\"\n") ==
        "m.toml:3: [cors] methods = \"GET\": expected a list of texts");
  CHECK(problem_of("[cors]\nmax_age = \"1h\"\n").starts_with("m.toml:1: [cors] needs `origins`"));
  CHECK(problem_of("[cors]\norigins = [\"https://a/\"]\n").find("expected an origin as browsers send it") !=
        std::string::npos);
  CHECK(problem_of("[cors]\norigins = [\"*\"]\ncredentials = 1\n") ==
        "m.toml:3: [cors] credentials = 1: expected true or false");
  CHECK(problem_of("[cors]\norigins = [\"*\"]\ncredentials = true\n").find("not with the origin \"*\"") !=
        std::string::npos);
  CHECK(problem_of("[cors]\norigins = [\"*\"]\nmax_age = \"32d\"\n")
            .starts_with("m.toml:3: [cors] max_age = "));
  CHECK(problem_of("[security_headers]\nframe_option = \"DENY\"\n").find("the nearest is `frame_options`") !=
        std::string::npos);
  CHECK(problem_of("[security_headers]\nframe_options = \"a\\nb\"\n").find("expected a text of one line") !=
        std::string::npos);
  CHECK(problem_of("[auth]\nrealm = \"a\"\n") ==
        "m.toml:1: [auth] needs one of `users` and `tokens`: the path of a file");
  CHECK(problem_of("[auth]\nusers = \"a\"\nrealm = \"a\\\"\"\n").find("printable ASCII") !=
        std::string::npos);
  CHECK(problem_of(with_route("auth = { user = \"x\" }")) ==
        "m.toml:4: unknown key `user` in auth; the nearest is `users`");
  CHECK(problem_of(with_route("compress = 3")) == "m.toml:4: compress = 3: expected a table with `min`");
  CHECK(problem_of(with_route("cors = { origin = [\"*\"] }")) ==
        "m.toml:4: unknown key `origin` in cors; the nearest is `origins`");
  CHECK(problem_of(with_route("cors = { max_age = \"1h\" }")).starts_with("m.toml:4: cors needs `origins`"));
  CHECK(problem_of(with_route("cors = { origins = [\"a\"] }"))
            .starts_with("m.toml:4: cors origins: \"a\": expected an origin as browsers send it"));
  CHECK(problem_of(with_route("cors = { origins = [\"*\"], credentials = true }"))
            .starts_with("m.toml:4: cors credentials: not with the origin \"*\""));
  CHECK(problem_of(with_route("cors = true")) == "m.toml:4: cors = true: expected a table with `origins`");
  CHECK(problem_of(with_route("crs = false")) ==
        "m.toml:4: unknown key `crs` in [[route]]; the nearest is `cors`");
  CHECK(problem_of("[tls]\nhsts = 5\n") ==
        "m.toml:2: [tls] hsts = 5: expected a duration from 0s to 731d, such as \"365d\"");
  CHECK(problem_of("[tls]\nhst = \"5d\"\n").find("the nearest is `hsts`") != std::string::npos);
  const std::string twice = with_route("hosts = [\"a\"]");
  CHECK(problem_of(twice + twice).find("line 1 has a route for it already") != std::string::npos);
}

TEST_CASE("routes: one name of a host for two routes of the same path is told") {
  Config config = read(
      "[[route]]\npath = \"/\"\nredirect = \"/x\"\nhosts = [\"a\", \"b\"]\n"
      "[[route]]\npath = \"/\"\nredirect = \"/y\"\nhosts = [\"b\"]\n");
  App app;
  Report report;
  add_routes(config, app, report);
  CHECK(report.problems == std::vector<std::string>{"host b: two routes are for the same: * /"});
}
