#include "engine/config/config.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "engine/serve/secure.hpp"

using namespace millrace::config;

namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

/// A file in a directory of its own, both gone at the end.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view text) {
    char name[] = "/tmp/millrace-config-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    directory_ = name;
    std::ofstream(path()) << text;
  }
  ~TemporaryFile() { std::filesystem::remove_all(directory_); }
  std::string path() const { return directory_ + "/site.toml"; }

 private:
  std::string directory_;
};

}  // namespace

TEST_CASE("load: a flag beats the environment, which beats the file, which beats the default") {
  const TemporaryFile file(
      "[server]\nlisten = [\"127.0.0.1:1\"]\ncores = 3\n[limits]\nbody = \"1m\"\nheaders = 50\n");
  Flags flags;
  flags.config = file.path();
  flags.cores = "5";
  const std::vector<std::string_view> environment = {"MILLRACE_SERVER_CORES=4", "MILLRACE_LIMITS_BODY=2m",
                                                     "MILLRACE_ISA=scalar", "HOME=/root"};
  Report report;
  const Config config = load(flags, environment, report);
  CHECK(report.problems.empty());
  CHECK(report.warnings.empty());
  CHECK(config.server.cores == 5);
  CHECK(config.server.body_bytes == 2u << 20);
  CHECK(config.server.headers == 50);
  CHECK(config.server.listen == std::vector<std::string>{"127.0.0.1:1"});
  CHECK(config.server.pipeline == millrace::ServerOptions{}.pipeline);
  CHECK(config.origins[index_of("server", "cores")] == "--cores");
  CHECK(config.origins[index_of("limits", "body")] == "MILLRACE_LIMITS_BODY");
  CHECK(config.origins[index_of("limits", "headers")] == file.path() + ":6");
  CHECK(config.origins[index_of("limits", "pipeline")].empty());
  CHECK(config.file == file.path());
}

TEST_CASE("load: where to listen") {
  const TemporaryFile file("[server]\nlisten = \"127.0.0.1:1\"\n");
  const std::string this_process = "LISTEN_PID=" + std::to_string(::getpid());
  struct Case {
    const char* name;
    Flags flags;
    std::vector<std::string_view> environment;
    std::vector<std::string> want;
    std::string_view origin;
  };
  const Case cases[] = {
      {"PORT beats the file", {}, {"PORT=9"}, {"0.0.0.0:9"}, "PORT"},
      {"the full name beats PORT",
       {},
       {"MILLRACE_SERVER_LISTEN=127.0.0.1:7,[::1]:7", "PORT=9"},
       {"127.0.0.1:7", "[::1]:7"},
       "MILLRACE_SERVER_LISTEN"},
      {"in either order",
       {},
       {"PORT=9", "MILLRACE_SERVER_LISTEN=127.0.0.1:7"},
       {"127.0.0.1:7"},
       "MILLRACE_SERVER_LISTEN"},
      {"sockets that were passed",
       {},
       {"LISTEN_FDS=2", this_process, "PORT=9"},
       {"fd:3", "fd:4"},
       "LISTEN_FDS"},
      {"to another process", {}, {"LISTEN_FDS=2", "LISTEN_PID=1", "PORT=9"}, {"0.0.0.0:9"}, "PORT"},
      {"the full name beats them",
       {},
       {"LISTEN_FDS=1", this_process, "MILLRACE_SERVER_LISTEN=127.0.0.1:7"},
       {"127.0.0.1:7"},
       "MILLRACE_SERVER_LISTEN"},
      {"--port",
       {.listen = {}, .port = "8", .cores = {}, .backend = {}, .config = {}},
       {"PORT=9"},
       {"127.0.0.1:8"},
       "--port"},
      {"--listen and --port",
       {.listen = {"[::]:1", "unix:/x"}, .port = "8", .cores = {}, .backend = {}, .config = {}},
       {},
       {"[::]:1", "unix:/x", "127.0.0.1:8"},
       "--listen"},
      {"port 0 may come twice",
       {.listen = {"127.0.0.1:0", "127.0.0.1:0"}, .port = {}, .cores = {}, .backend = {}, .config = {}},
       {},
       {"127.0.0.1:0", "127.0.0.1:0"},
       "--listen"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Report report;
    Flags flags = c.flags;
    flags.config = file.path();
    const Config config = load(flags, c.environment, report);
    CHECK(report.problems.empty());
    CHECK(config.server.listen == c.want);
    CHECK(config.origins[index_of("server", "listen")] == c.origin);
  }
}

TEST_CASE("load: faults of flags and variables name them, all of them") {
  Flags flags;
  flags.port = "80x";
  flags.cores = "0";
  flags.config = "/nonexistent/site.toml";
  const std::vector<std::string_view> environment = {
      "MILLRACE_LIMITS_BODY=lots", "PORT=", "MILLRACE_SERVER_PIN=yes", "MILLRACE_SEVER_CORES=1"};
  Report report;
  load(flags, environment, report);
  REQUIRE(report.problems.size() == 5);
  CHECK(has(report.problems[0], "--config: /nonexistent/site.toml cannot be read: No such file"));
  CHECK(has(report.problems[1], "MILLRACE_LIMITS_BODY = \"lots\": expected a size"));
  CHECK(has(report.problems[2], "MILLRACE_SERVER_PIN = \"yes\": expected true or false"));
  CHECK(has(report.problems[3], "--port"));
  CHECK(has(report.problems[3], "'127.0.0.1:80x' is no address"));
  CHECK(has(report.problems[4], "--cores = \"0\": expected \"auto\" or a whole number from 1 to 1024"));
  REQUIRE(report.warnings.size() == 1);
  CHECK(has(report.warnings[0], "MILLRACE_SEVER_CORES"));
  CHECK(has(report.warnings[0], "the nearest is MILLRACE_SERVER_CORES"));
}

TEST_CASE("load: a number of passed sockets that is none, and a path of a file that is empty") {
  Report report;
  Flags flags;
  flags.config = "";
  const std::string this_process = "LISTEN_PID=" + std::to_string(::getpid());
  load(flags, std::vector<std::string_view>{"LISTEN_FDS=many", this_process}, report);
  REQUIRE(report.problems.size() == 2);
  CHECK(report.problems[0] == "--config: expected the path of a file");
  CHECK(report.problems[1] == "LISTEN_FDS = \"many\": expected the number of sockets, 1 to 1024");
}

TEST_CASE("load: PORT that is no port, a directory for a file, settings that contradict each other") {
  Report report;
  Flags flags;
  flags.config = "/tmp";
  load(flags, std::vector<std::string_view>{"PORT=http", "MILLRACE_RINGS_ENTRIES=32768"}, report);
  REQUIRE(report.problems.size() == 3);
  CHECK(has(report.problems[0], "/tmp cannot be read"));
  CHECK(has(report.problems[1], "PORT = \"0.0.0.0:http\": '0.0.0.0:http' is no address"));
  CHECK(
      has(report.problems[2], "[rings] completions = 16384: must not be less than [rings] entries = 32768"));
}

TEST_CASE("print: every setting with its default and its origin, and it reads back") {
  Report report;
  Flags flags;
  flags.cores = "2";
  const TemporaryFile empty("");
  flags.config = empty.path();
  const std::string text = print(load(flags, {}, report), "epoll, because of this");
  CAPTURE(text);
  for (const Setting& setting : settings) {
    CAPTURE(setting.key);
    CHECK(has(text, std::string("\n").append(setting.key).append(" = ")));
  }
  for (const char* line : {"listen = [\"127.0.0.1:8080\"]",
                           "cores = 2 ",
                           "backend = \"auto\"                          # default: epoll, because of this\n",
                           "pin = true",
                           "own_descriptors = false",
                           "header_bytes = \"16k\"",
                           "headers = 100",
                           "body = \"8m\"",
                           "connections = 100000",
                           "pipeline = 128",
                           "exchanges = 65536",
                           "memory = \"1g\"",
                           "output = \"256k\"",
                           "header = \"10s\"",
                           "body_idle = \"30s\"",
                           "write_idle = \"30s\"",
                           "keepalive = \"75s\"",
                           "linger = \"2s\"",
                           "delay = \"0s\"",
                           "grace = \"20s\"",
                           "entries = 4096",
                           "completions = 16384",
                           "buffers = 512",
                           "buffer_bytes = \"8k\""})
    CHECK(has(text, line));
  CHECK(has(text, "# --cores"));
  CHECK(has(text, "# default"));

  Config again;
  apply_file_text(text, "print", again, report);
  CHECK(report.problems.empty());
  CHECK(print(again, "epoll, because of this").size() >= text.size());
  CHECK(again.server.cores == 2);
}

TEST_CASE("settings: every default lies within its own bounds") {
  const millrace::ServerOptions defaults;
  for (const Setting& setting : settings) {
    if (setting.kind == Kind::addresses) continue;
    CAPTURE(setting.key);
    std::string text = show(setting, defaults);
    if (text.front() == '"') text = text.substr(1, text.size() - 2);
    millrace::ServerOptions options;
    CHECK(assign(setting, {.shape = Value::Shape::plain, .text = text}, options).empty());
    CHECK(show(setting, options) == show(setting, defaults));
  }
}

TEST_CASE("load: HTTPS") {
  struct Case {
    const char* name;
    std::string_view text;
    std::string_view want;  ///< Of the first problem, else of the first warning.
    bool problem;
    bool openssl = true;  ///< Told by a build that has it.
  };
  const Case cases[] = {
      {"no certificate", "[tls]\nlisten = [\"127.0.0.1:1\"]\n", "no certificate: add cert", true},
      {"empty file", "[tls]\nlisten = [\"127.0.0.1:1\"]\ncert = \"/dev/null\"\n",
       "cannot be read (it is empty)", true},
      {"no file", "[tls]\nlisten = [\"127.0.0.1:1\"]\ncert = \"/gone\"\nkey = \"/gone\"\n",
       "\"/gone\": cannot be read (No such file or directory): check the path", true},
      {"no listener", "[tls]\ncert = \"a\"\nkey = \"a\"\n", "listen is missing: nothing speaks TLS", false},
      {"address twice", "[server]\nlisten = [\"127.0.0.1:1\"]\n[tls]\nlisten = [\"127.0.0.1:1\"]\n",
       "in [server] listen and in [tls] listen", true},
      {"no address", "[server]\nlisten = []\n", "[server] listen is empty: name an address", true, false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    if (c.openssl && c.problem && millrace::serve::make_secure() == nullptr) continue;
    const TemporaryFile file(c.text);
    Flags flags;
    flags.config = file.path();
    Report report;
    load(flags, {}, report);
    const auto& told = c.problem ? report.problems : report.warnings;
    REQUIRE_FALSE(told.empty());
    CAPTURE(told.front());
    CHECK(has(told.front(), c.want));
    CHECK(report.problems.empty() != c.problem);
  }
}

TEST_CASE("load: settings of TLS that do nothing are warned of") {
  const TemporaryFile file(
      "[server]\nlisten = []\n[tls]\nlisten = [\"127.0.0.1:1\"]\nredirect = true\nclient_ca = \"/gone\"\n");
  Flags flags;
  flags.config = file.path();
  Report report;
  load(flags, {}, report);
  REQUIRE(report.warnings.size() >= 2);
  CHECK(has(report.warnings[0], "there is nothing to redirect from"));
  CHECK(has(report.warnings[1], "no client is asked for a certificate"));
}

TEST_CASE("load: who names an address for HTTPS alone does not get the default one beside it") {
  Flags flags;
  flags.config = "/dev/null";
  flags.tls_listen = {"127.0.0.1:1", "[::1]:1"};
  Report report;
  const Config config = load(flags, {}, report);
  CHECK(config.server.listen.empty());
  CHECK(config.server.tls_listen == flags.tls_listen);
}
