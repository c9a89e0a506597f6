#include "engine/config/welcome.hpp"

#include <sys/stat.h>

namespace millrace::config {
namespace {

constexpr const char* directory = "./public";

constexpr const char* page = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Millrace is running</title>
<style>
  :root { color-scheme: light dark; }
  body { font: 1.05rem/1.6 system-ui, sans-serif; max-width: 38rem; margin: 12vh auto; padding: 0 1.5rem; }
  h1 { font-weight: 600; letter-spacing: -.02em; }
  code, pre { font: .92em ui-monospace, monospace; background: #8881; border-radius: .4em; }
  code { padding: .1em .35em; }
  pre { padding: 1em 1.2em; overflow-x: auto; }
</style>
</head>
<body>
<h1>Millrace is running.</h1>
<p>You see this page because nothing else is configured. Put files into <code>./public</code> and start it
again, or write <code>millrace.toml</code>:</p>
<pre>[server]
listen = ["127.0.0.1:8080"]

[[route]]
path  = "/static/*"
files = "./public"

[[route]]
path    = "/hello"
respond = { status = 200, type = "text/plain", body = "Hello world!" }</pre>
<p><code>millrace check --print</code> shows every setting, <code>millrace doctor</code> what this machine
can do.</p>
</body>
</html>
)";

bool is_directory(const char* path) {
  struct stat status = {};
  return ::stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace

void add_default_route(Config& config) {
  if (!config.routes.empty()) return;
  RouteConfig route;
  if (is_directory(directory)) {
    route.kind = RouteConfig::Kind::files;
    route.path = "/*";
    route.directory = directory;
  } else {
    route.path = "/";
    route.type = "text/html; charset=utf-8";
    route.body = page;
  }
  config.routes.push_back(std::move(route));
}

}  // namespace millrace::config
