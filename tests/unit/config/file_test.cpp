// Goal: a bad file says where, what, and what was meant. Method: a table of files with the exact
// beginning of each message; what is not in the table is accepted by the last cases.
#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "engine/config/config.hpp"
#include "engine/config/file_text.hpp"

using namespace millrace::config;

namespace {

struct Case {
  const char* name;
  const char* text;
  std::vector<std::string> wants;  ///< A part of each message, in order.
};

void check(const Case& c) {
  CAPTURE(c.name);
  Config config;
  Report report;
  apply_file_text(c.text, "m.toml", config, report);
  std::string all;
  for (const std::string& problem : report.problems) all += problem + "\n";
  CAPTURE(all);
  REQUIRE(report.problems.size() == c.wants.size());
  for (std::size_t at = 0; at < c.wants.size(); ++at) {
    CAPTURE(c.wants[at]);
    CHECK(report.problems[at].find(c.wants[at]) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("file: unknown keys name the line and the nearest") {
  const Case cases[] = {
      {"key",
       "[limits]\n\nheder_bytes = 1\n",
       {"m.toml:3: unknown key `heder_bytes` in [limits]; the nearest is `header_bytes`"}},
      {"section",
       "[timeout]\nheader = \"1s\"\n",
       {"m.toml:1: unknown key `timeout` in the file; the nearest is `timeouts`"}},
      {"outside", "cores = 1\n", {"m.toml:1: `cores` stands outside of its section, [server]"}},
      {"route key",
       "[[route]]\npath = \"/\"\nrespnd = {}\n",
       {"m.toml:3: unknown key `respnd` in [[route]]; the nearest is `respond`"}},
      {"respond key",
       "[[route]]\npath = \"/\"\nrespond = { boddy = \"x\" }\n",
       {"m.toml:3: unknown key `boddy` in respond; the nearest is `body`"}},
      {"redirect key",
       "[[route]]\npath = \"/\"\nredirect = { to = \"/x\", code = 301 }\n",
       {"m.toml:3: unknown key `code` in redirect"}},
      {"certificate key",
       "[tls]\ncertificates = [{ cert = \"a\", kye = \"b\" }]\n",
       {"m.toml:2: unknown key `kye` in certificates of [tls]; the nearest is `key`"}},
      {"proxy",
       "[[route]]\npath = \"/\"\nproxy = [\"http://10.0.0.2\"]\n",
       {"m.toml:3: this version does not have `proxy`"}},
  };
  for (const Case& c : cases) check(c);
}

TEST_CASE("file: bad values") {
  const Case cases[] = {
      {"type",
       "[limits]\nheaders = \"many\"\n",
       {"m.toml:2: [limits] headers = \"many\": expected a whole number from 1 to 4096"}},
      {"range",
       "[limits]\nheader_bytes = \"64k\"\n",
       {"m.toml:2: [limits] header_bytes = \"64k\": expected a size from 256 to 65535 bytes"}},
      {"negative", "[limits]\nbody = -1\n", {"m.toml:2: [limits] body = -1: expected a size"}},
      {"bare duration",
       "[timeouts]\nheader = 10\n",
       {"m.toml:2: [timeouts] header = 10: expected a duration"}},
      {"zero",
       "[timeouts]\nkeepalive = \"0s\"\n",
       {"m.toml:2: [timeouts] keepalive = \"0s\": expected a duration from 1ms to 1d"}},
      {"power", "[rings]\nbuffers = 500\n", {"m.toml:2: [rings] buffers = 500: expected a power of two"}},
      {"flag", "[server]\npin = 1\n", {"m.toml:2: [server] pin = 1: expected true or false"}},
      {"cores", "[server]\ncores = \"all\"\n", {"m.toml:2: [server] cores = \"all\": expected \"auto\""}},
      {"float", "[server]\ncores = 1.5\n", {"m.toml:2: [server] cores = 1.5: expected"}},
      {"backend",
       "[server]\nbackend = \"kqueue\"\n",
       {"m.toml:2: [server] backend = \"kqueue\": expected \"auto\", \"uring\" or \"epoll\""}},
      {"address",
       "[server]\nlisten = [\"example.org:80\"]\n",
       {"m.toml:2: [server] listen = [...]: 'example.org:80' is no address"}},
      {"address twice",
       "[server]\nlisten = [\"127.0.0.1:80\", \"localhost:80\"]\n",
       {"the address 127.0.0.1:80 is given twice"}},
      {"certificates",
       "[tls]\ncertificates = \"a.pem\"\n",
       {"m.toml:2: [tls] certificates: expected a list"}},
      {"certificate", "[tls]\ncertificates = [{ cert = 1 }]\n", {"m.toml:2: cert = 1: expected the path"}},
      {"hosts",
       "[tls]\ncertificates = [{ hosts = \"a\" }]\n",
       {"m.toml:2: hosts = \"a\": expected a list of names"}},
      {"an empty host",
       "[tls]\ncertificates = [{ hosts = [\"a\", \"\"] }]\n",
       {"m.toml:2: hosts = [...]: expected a list of names"}},
      {"path", "[tls]\ncert = 1\n", {"m.toml:2: [tls] cert = 1: expected the path of a file"}},
      {"client_auth",
       "[tls]\nclient_auth = \"maybe\"\n",
       {"m.toml:2: [tls] client_auth = \"maybe\": expected \"off\", \"optional\" or \"required\""}},
      {"min_version",
       "[tls]\nmin_version = \"1.1\"\n",
       {"m.toml:2: [tls] min_version = \"1.1\": expected \"1.2\" or \"1.3\""}},
      {"list of numbers",
       "[server]\nlisten = [80]\n",
       {"m.toml:2: [server] listen = [...]: expected addresses"}},
      {"section as value", "limits = 3\n", {"m.toml:1: `limits` is a section"}},
      {"syntax", "[server]\ncores = \n", {"m.toml:2: "}},
      {"table header", "\n[/new\"\n", {"m.toml:2: "}},
      {"key twice", "[server]\ncores = 1\ncores = 2\n", {"m.toml:3: "}},
  };
  for (const Case& c : cases) check(c);
}

TEST_CASE("file: bad routes") {
  const Case cases[] = {
      {"cache_control",
       "[[route]]\npath = \"/*\"\nfiles = \"/tmp\"\ncache_control = \"no-cache\"\n",
       {"m.toml:4: cache_control = \"no-cache\": expected a list such as [{ match = "}},
      {"types",
       "[[route]]\npath = \"/*\"\nfiles = \"/tmp\"\ntypes = \"text/wat\"\n",
       {"m.toml:4: types = \"text/wat\": expected a table such as { wasm = "}},
      {"no kind", "[[route]]\npath = \"/\"\n", {"m.toml:1: [[route]] needs one of"}},
      {"two kinds",
       "[[route]]\npath = \"/*\"\nfiles = \"/tmp\"\nredirect = \"/x\"\n",
       {"m.toml:1: [[route]] has several of"}},
      {"no path", "[[route]]\nredirect = \"/x\"\n", {"m.toml:1: [[route]] has no `path`"}},
      {"path without slash",
       "[[route]]\npath = \"x\"\nredirect = \"/x\"\n",
       {"m.toml:2: path = \"x\": expected a slash in front"}},
      {"star inside",
       "[[route]]\npath = \"/*/x\"\nredirect = \"/x\"\n",
       {"m.toml:2: path = \"/*/x\": `*` may only be the whole last part"}},
      {"files without star",
       "[[route]]\npath = \"/x\"\nfiles = \"/tmp\"\n",
       {"m.toml:2: path = \"/x\": a route of files ends in `/*`"}},
      {"no directory",
       "[[route]]\npath = \"/*\"\nfiles = \"/nonexistent\"\n",
       {"m.toml:3: files = \"/nonexistent\": no such directory"}},
      {"files option elsewhere",
       "[[route]]\npath = \"/\"\nredirect = \"/x\"\nlisting = true\n",
       {"m.toml:4: `listing` is an option of a route of `files`"}},
      {"files option near",
       "[[route]]\npath = \"/*\"\nfiles = \"/tmp\"\nlistings = true\n",
       {"m.toml:4: unknown key `listings` in [[route]]; the nearest is `listing`"}},
      {"listing",
       "[[route]]\npath = \"/*\"\nfiles = \"/tmp\"\nlisting = 1\n",
       {"m.toml:4: listing = 1: expected true or false"}},
      {"index",
       "[[route]]\npath = \"/*\"\nfiles = \"/tmp\"\nindex = \"a/b\"\n",
       {"m.toml:4: index \"a/b\": expected the name of a file"}},
      {"fallback",
       "[[route]]\npath = \"/*\"\nfiles = \"/tmp\"\nfallback = \"../x\"\n",
       {"m.toml:4: fallback \"../x\": expected a file beneath the directory"}},
      {"cache_bytes",
       "[[route]]\npath = \"/*\"\nfiles = \"/tmp\"\ncache_bytes = \"much\"\n",
       {"m.toml:4: cache_bytes = \"much\": expected a size"}},
      {"cache_files",
       "[[route]]\npath = \"/*\"\nfiles = \"/tmp\"\ncache_files = -1\n",
       {"m.toml:4: cache_files = -1: expected a number from 0"}},
      {"cache_control shape",
       "[[route]]\npath = \"/*\"\nfiles = \"/tmp\"\ncache_control = [{ match = \"*\" }]\n",
       {"m.toml:4: cache_control: a table: expected a list such as"}},
      {"cache_control value",
       "[[route]]\npath = \"/*\"\nfiles = \"/tmp\"\ncache_control = [{ match = \"*\", value = \"a\\nb\" }]\n",
       {"m.toml:4: cache_control value"}},
      {"types",
       "[[route]]\npath = \"/*\"\nfiles = \"/tmp\"\ntypes = { js = 3 }\n",
       {"m.toml:4: js = 3: expected a text"}},
      {"single bracket", "[route]\npath = \"/\"\n", {"m.toml:1: `route` is a list: write [[route]]"}},
      {"path twice",
       "[[route]]\npath = \"/\"\nredirect = \"/x\"\n[[route]]\npath = \"/\"\nredirect = \"/y\"\n",
       {"m.toml:4: path = \"/\": line 1 has a route for it already"}},
      {"status",
       "[[route]]\npath = \"/\"\nrespond = { status = 99 }\n",
       {"m.toml:3: respond status = 99: expected a status from 200 to 599"}},
      {"informational status",
       "[[route]]\npath = \"/\"\nrespond = { status = 100 }\n",
       {"expected a status from 200"}},
      {"body of 204",
       "[[route]]\npath = \"/\"\nrespond = { status = 204, body = \"x\" }\n",
       {"m.toml:3: respond: an answer 204 has no body"}},
      {"respond as text",
       "[[route]]\npath = \"/\"\nrespond = \"x\"\n",
       {"m.toml:3: respond = \"x\": expected a table"}},
      {"body",
       "[[route]]\npath = \"/\"\nrespond = { body = 1 }\n",
       {"m.toml:3: respond body = 1: expected a text"}},
      {"type splits the head",
       "[[route]]\npath = \"/\"\nrespond = { type = \"a\\r\\nb: c\" }\n",
       {"m.toml:3: respond type: "}},
      {"header splits the head",
       "[[route]]\npath = \"/\"\nrespond.headers = { a = \"b\\r\\nc\" }\n",
       {"m.toml:3: respond headers a: "}},
      {"header name",
       "[[route]]\npath = \"/\"\nrespond.headers = { \"a b\" = \"c\" }\n",
       {"m.toml:3: respond headers a b: "}},
      {"engine's header",
       "[[route]]\npath = \"/\"\nrespond.headers = { Content-Length = \"1\" }\n",
       {"m.toml:3: respond headers Content-Length: "}},
      {"redirect to",
       "[[route]]\npath = \"/\"\nredirect = \"new\"\n",
       {"m.toml:3: redirect to \"new\": expected a path"}},
      {"redirect with space", "[[route]]\npath = \"/\"\nredirect = \"/a b\"\n", {"percent-encoded"}},
      {"redirect without to",
       "[[route]]\npath = \"/\"\nredirect = { status = 301 }\n",
       {"m.toml:3: redirect: expected a text, or a table"}},
      {"redirect status",
       "[[route]]\npath = \"/\"\nredirect = { to = \"/x\", status = 200 }\n",
       {"m.toml:3: redirect status = 200: expected 301, 302, 303, 307 or 308"}},
  };
  for (const Case& c : cases) check(c);
}

TEST_CASE("file: all problems are told, in the order of the lines") {
  check({"many",
         "[timeouts]\nheader = 1\n[server]\ncores = 0\nlisten = 1\n[[route]]\npath = \"/\"\n[limits]\nbodyy "
         "= 1\n",
         {"m.toml:2:", "m.toml:4:", "m.toml:5:", "m.toml:6:", "m.toml:9:"}});
}

TEST_CASE("file: a whole good one") {
  static constexpr const char* text = R"([server]
listen  = ["127.0.0.1:8080", "unix:/run/millrace.sock"]
cores   = "auto"
backend = "uring"
pin     = false
[limits]
header_bytes = "8k"
body         = 1000
[timeouts]
header = "500ms"
[drain]
delay = "1s"
[rings]
buffers = 1024
[[route]]
path  = "/static/*"
files = "/tmp"
index = "start.html"
fallback = "app.html"
listing = true
hidden = true
precompressed = false
cache_bytes = "4m"
cache_files = 7
cache_control = [{ match = "*.js", value = "max-age=60" }, { match = "*", value = "no-cache" }]
types = { wat = "text/wat" }
[[route]]
path    = "/hello"
respond = { status = 201, type = "text/html", body = "Hi", headers = { X-A = "b" } }
[[route]]
path     = "/old"
redirect = "/new"
[[route]]
path     = "/older"
redirect = { to = "https://example.org/", status = 308 }
)";
  Config config;
  Report report;
  apply_file_text(text, "m.toml", config, report);
  CHECK(report.problems.empty());
  CHECK(config.server.listen == std::vector<std::string>{"127.0.0.1:8080", "unix:/run/millrace.sock"});
  CHECK(config.server.cores == 0);
  CHECK(config.server.backend == "uring");
  CHECK(!config.server.pin);
  CHECK(config.server.header_bytes == 8192);
  CHECK(config.server.body_bytes == 1000);
  CHECK(config.server.header_ms == 500);
  CHECK(config.server.drain_delay_ms == 1000);
  CHECK(config.server.ring_buffers == 1024);
  CHECK(config.origins[index_of("timeouts", "header")] == "m.toml:10");
  REQUIRE(config.routes.size() == 4);
  CHECK(config.routes[0].kind == RouteConfig::Kind::files);
  const millrace::FilesOptions& options = config.routes[0].files;
  CHECK(options.index == "start.html");
  CHECK(options.fallback == "app.html");
  CHECK((options.listing && options.hidden && !options.precompressed));
  CHECK(options.cache_bytes == 4u << 20);
  CHECK(options.cache_files == 7);
  REQUIRE(options.cache_control.size() == 2);
  CHECK(options.cache_control[0].match == "*.js");
  CHECK(options.cache_control[1].value == "no-cache");
  REQUIRE(options.types.size() == 1);
  CHECK(options.types[0].extension == "wat");
  CHECK(options.types[0].type == "text/wat");
  CHECK(config.routes[0].directory == "/tmp");
  CHECK(config.routes[0].line == 15);
  CHECK(config.routes[1].kind == RouteConfig::Kind::respond);
  CHECK(config.routes[1].status == 201);
  CHECK(config.routes[1].type == "text/html");
  CHECK(config.routes[1].body == "Hi");
  REQUIRE(config.routes[1].headers.size() == 1);
  CHECK(config.routes[1].headers[0].first == "X-A");
  CHECK(config.routes[2].to == "/new");
  CHECK(config.routes[2].status == 301);
  CHECK(config.routes[3].to == "https://example.org/");
  CHECK(config.routes[3].status == 308);

  Config again;
  apply_file_text(print(config, "io_uring"), "again", again, report);
  CHECK(report.problems.empty());
  CHECK(again.routes.size() == 4);
  CHECK(again.routes[1].headers == config.routes[1].headers);
  CHECK(again.server.header_ms == 500);
}

TEST_CASE(
    "file: metrics, certificates by name and a size as a number are read, and printed so that they read "
    "back") {
  std::string text =
      "[tls]\ncertificates = [{ cert = \"a\", key = \"b\", hosts = [\"a.example\", \"*.b.example\"] }]\n"
      "[[route]]\npath = \"/metrics\"\nmetrics = true\n"
      "[[route]]\npath = \"/*\"\nfiles = \"/tmp\"\ncache_bytes = 1000\n";
  for (int round = 0; round < 2; ++round) {
    Config config;
    Report report;
    apply_file_text(text, "m.toml", config, report);
    CHECK(report.problems.empty());
    REQUIRE(config.server.tls_certificates.size() == 1);
    CHECK(config.server.tls_certificates[0].cert == "a");
    CHECK(config.server.tls_certificates[0].key == "b");
    CHECK(config.server.tls_certificates[0].hosts == std::vector<std::string>{"a.example", "*.b.example"});
    REQUIRE(config.routes.size() == 2);
    CHECK(config.routes[0].kind == RouteConfig::Kind::metrics);
    CHECK((round == 1 || config.routes[1].files.cache_bytes == 1000));  // Options of files are not printed.
    text = print(config, "io_uring");
  }
}

TEST_CASE("characters beyond ASCII stand in quotes and comments alone") {
  const std::string_view good[] = {
      "\xef\xbb\xbf# \xc3\xa9\n",
      "[headers]\nx = \"\xc3\xa9\"\n",
      "# \"\n[headers]\nx = '\xc3\xa9'\n",
      "[headers]\nx = \"\"\"\n\\\\\xc3\xa9\"\"\"\"\"\n",
      "[headers]\nx = '''it's \xc3\xa9'''\n",
      "[headers]\nx = '\xc3\xa9",  // Without an end: toml++ says so.
      "[headers]\nx = \"\\",
      "\xef\xbb\xbf\"\xc3\xa9\" = ['\xc3\xa9','\xc3\xa9', {\"\xc3\xa9\"=\"\xc3\xa9\"}]\n[\"\xc3\xa9\"]\n",
      "a.\"b c\".d = 1 # \xc3\xa9\n",
      "a . \"b=c\".d = '\xc3\xa9'\nx = [\n  '\xc3\xa9',\n  {a = 1, b-2 = '\xc3\xa9'},\n]\ny = '\xc3\xa9'\n",
      "[a]\nb = {c = [1, 2], d = \"\xc3\xa9\"}\n",
      "x = \"\"\"a \\ \n\n  b \xc3\xa9 \\\n \\u00e9\"\"\"\n",
      "x = '''a\\\n\xc3\xa9'''\n",
  };
  for (const std::string_view text : good) CHECK(find_stray_character(text) == text.size());
  const std::string_view bad[] = {
      "[server]\n\xc3\xa9 = 1\n",
      "[server]\ncores = \xe2\x80\x89 1\n",
      "[server]\nbackend = \"\\\xe3\x80\x80\"\n",
      "[server]\nx = \"\"\xc2\xa0\n",
      "[server]\nx = '''a'''''\xc2\xa0\n",
      "[server]\nx = '''a'b'''\xc2\xa0\n",
      "[server]\nx = 48Z\"\xc4\x9e",
      "[server]\nx = 48Z=\"\xc4\x9e",
      "[server]\nx = 48{\"\xc4\x9e",
      "[server]\nx = 48['\xc4\x9e']",
      "[server]\nx = [1, 48Z=\"\xc4\x9e\"]\n",
      "[server]\nx = [48Z = '\xc4\x9e']\n",
      "[server]\nx = {a = 1, b = 48Z='\xc4\x9e'}\n",
      "[server]\nx = 2000-01-01 1'\xc4\x9e'\n",
      "[server]\nx = 1.\"\xc4\x9e\"\n",
      "[server]\nx = +\"#\xc4\x9e\"\n",
      "x = \"\"\"a\\\n  \xc3\xa9\"\"\"\n",  // Behind a backslash that ends a line, before other characters.
      "[server]\nx = \"\"\"a\\ \xc3\xa9\"\"\"\n",
      "x = \"\"\"a \\\\\\ \t\r\n\xef\xba\xbf\"\"\"\n",
  };
  CHECK(find_stray_character("x = 'a\n\xc3\xa9") == 7);  // What a line does not end is no text in the next.
  for (const std::string_view text : bad) {
    Config config;
    Report report;
    apply_file_text(text, "a.toml", config, report);
    REQUIRE(report.problems.size() == 1);
    CHECK(
        report.problems[0] ==
        "a.toml:2: a character beyond ASCII outside of quotes and comments, or in quotes behind a backslash; "
        "in quotes it may be written as \\uXXXX");
  }
}
