// Compiled with exceptions, because CLI11 reports by them; nothing else of the engine is.
#include "engine/config/command_line.hpp"

#include <array>
#include <exception>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "engine/config/nearest.hpp"

namespace millrace::config {
namespace {

constexpr const char* engine_examples = R"(Examples:
  millrace                            serve ./public, or a welcome page, on 127.0.0.1:8080
  millrace --port 9000 --cores 2      the same on 127.0.0.1:9000 with two threads
  millrace --config site.toml         serve the routes of a file
  millrace --listen 0.0.0.0:80 --listen [::]:80 --listen unix:/run/millrace.sock
  millrace --tls-listen 0.0.0.0:443 --tls-cert chain.pem --tls-key key.pem
  millrace check --print              judge the configuration and show every value and its origin
  millrace doctor                     find out what this machine lacks, and what mends it
  millrace bench http://localhost:8080/ -c 100 -d 10s

A flag beats the environment (MILLRACE_SERVER_LISTEN, MILLRACE_LIMITS_BODY, LISTEN_FDS, PORT, ...), which beats the
file (--config, else ./millrace.toml, else /etc/millrace/millrace.toml), which beats the default.)";

constexpr const char* bench_examples = R"(Examples:
  bench http://localhost:8080/                          10 connections, 10 seconds, as fast as answers come
  bench http://localhost:8080/ -c 100 -p 24             24 requests pipelined on each of 100 connections
  bench http://localhost:8080/ -r 5000 -d 30s           open loop: 5,000 a second whatever the server does
  bench wss://localhost:8443/ws --message-bytes 1000     echoes of messages, each checked
  bench unix:/run/millrace.sock:/items -n 1000 -b @item.json -H 'Content-Type: application/json'
  bench http://localhost:8080/ --urls paths.txt --expect-status 200,404 --json result.json

Ends with 0; 1 where an answer was wrong or missing, or the server is not there; 2 for bad flags.)";

constexpr const char* application_examples = R"(Examples:
  --port 9000                         listen on 127.0.0.1:9000
  --listen 0.0.0.0:80 --listen [::]:80 --cores 2

A flag beats the environment (MILLRACE_SERVER_LISTEN, PORT, ...), which beats the file (--config, else
./millrace.toml, else /etc/millrace/millrace.toml), which beats the default.)";

struct CommandName {
  const char* name;
  Command command;
  const char* help;
};
constexpr std::array commands = {
    CommandName{"serve", Command::serve, "Serve (what happens without a command)"},
    CommandName{"check", Command::check, "Judge the configuration: `ok`, or every problem and exit 2"},
    CommandName{"doctor", Command::doctor,
                "Try what the engine needs of this machine, and say what mends it"},
    CommandName{"routes", Command::routes, "List the routes"},
    CommandName{"bench", Command::bench, "Load a server, check every answer, and tell how fast they came"},
    CommandName{"version", Command::version, "Print the version"},
};

/// The CLI11 parser over a CommandLine. Values are texts here, so no conversion can fail.
class Parser {
 public:
  Parser(Program program, CommandLine& out) : program_(program), out_(out) {
    app_.description(program == Program::engine ? "An HTTP server engine for Linux." : "");
    app_.footer(program == Program::engine ? engine_examples : application_examples);
    app_.set_help_flag("-h,--help", "Show this help");
    app_.allow_extras();
    app_.add_option("-l,--listen", out.flags.listen, "Listen on ADDRESS:PORT or unix:PATH; repeatable")
        ->allow_extra_args(false)
        ->type_name("ADDRESS:PORT");
    add("-p,--port", out.flags.port, "Listen on 127.0.0.1:N", "N");
    add("-c,--cores", out.flags.cores, "Threads: a number, or auto", "N");
    add("--backend", out.flags.backend, "uring, epoll, or auto: epoll where io_uring is forbidden", "NAME");
    app_.add_option("--tls-listen", out.flags.tls_listen, "Listen on ADDRESS:PORT for HTTPS; repeatable")
        ->allow_extra_args(false)
        ->type_name("ADDRESS:PORT");
    add("--tls-cert", out.flags.tls_cert, "The certificate for HTTPS, with its chain, in PEM form", "FILE");
    add("--tls-key", out.flags.tls_key, "Its private key", "FILE");
    add("--config", out.flags.config, "The configuration file", "FILE");
    app_.add_flag("--version", version_, "Print the version");
    if (program == Program::engine) add_commands();
  }

  void parse(int argc, const char* const* argv) {
    try {
      app_.parse(argc, argv);
      settle();
    } catch (const CLI::CallForHelp&) {
      out_.help = true;
      out_.text = app_.help();
    } catch (const CLI::ParseError& error) {
      out_.text = fmt::format("{}; try --help", error.what());
    }
  }

 private:
  /// An option given twice takes the last value, as in most programs.
  void add(const char* name, std::optional<std::string>& out, const char* help, const char* type) {
    add_to(app_, name, out, help, type);
  }
  static void add_to(CLI::App& app, const char* name, std::optional<std::string>& out, const char* help,
                     const char* type) {
    app.add_option_function<std::string>(
           name, [&out](const std::string& value) { out = value; }, help)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
        ->type_name(type);
  }

  void add_bench(CLI::App& sub) {
    BenchFlags& flags = out_.bench;
    sub.footer(bench_examples);
    add_to(sub, "url", flags.url, "http, https, ws or wss://host:port/path, or unix:/path/of.sock:/path",
           "URL");
    add_to(sub, "-c,--connections", flags.connections, "Connections (10)", "N");
    add_to(sub, "-p,--pipeline", flags.pipeline, "Requests sent together on a connection (1)", "N");
    add_to(sub, "-d,--duration", flags.duration, "How long, with its unit (10s)", "TIME");
    add_to(sub, "-n,--count", flags.count, "How many requests, in place of how long", "N");
    add_to(sub, "-r,--rate", flags.rate,
           "Open loop: so many requests a second, latency from when each was due", "N");
    add_to(sub, "-t,--threads", flags.threads, "Threads, a ring each (1)", "N");
    add_to(sub, "-m,--method", flags.method, "The method (GET; with a body POST)", "METHOD");
    sub.add_option("-H,--header", flags.headers, "A field, `Name: value`; repeatable")
        ->allow_extra_args(false)
        ->type_name("FIELD");
    add_to(sub, "-b,--body", flags.body, "The body, or @FILE that holds it", "TEXT");
    add_to(sub, "--urls", flags.urls, "A file of URLs or paths of that server, a line each, asked in turn",
           "FILE");
    sub.add_flag("--no-keepalive", flags.no_keepalive,
                 "A connection for every request, and by TLS a handshake");
    add_to(sub, "--cacert", flags.cacert, "Certificates that are trusted, in place of the system's", "FILE");
    sub.add_flag("-k,--insecure", flags.insecure, "Trust any certificate");
    add_to(sub, "--message-bytes", flags.message_bytes, "WebSocket: how long each message is (64)", "N");
    add_to(sub, "--expect-status", flags.expect_status, "Statuses that are right (2xx,3xx)", "LIST");
    add_to(sub, "--expect-length", flags.expect_length, "Bytes that every body must have", "N");
    add_to(sub, "--expect-body", flags.expect_body, "A file that every body must equal", "FILE");
    add_to(sub, "--timeout", flags.timeout, "Without a byte for so long, an answer is missing (10s)", "TIME");
    add_to(sub, "--backend", flags.backend, "uring, epoll, or auto: epoll where io_uring is forbidden",
           "NAME");
    add_to(sub, "--json", flags.json, "Also write the figures to a file", "FILE");
  }

  void add_commands() {
    app_.require_subcommand(0, 1);
    for (const CommandName& command : commands) {
      CLI::App* sub = app_.add_subcommand(command.name, command.help);
      if (command.command == Command::bench) add_bench(*sub);
      sub->fallthrough(command.command != Command::bench);
      sub->callback([this, command] { out_.command = command.command; });
      if (command.command == Command::check)
        sub->add_flag("--print", out_.print, "Show the effective configuration and where each value is from");
      if (command.command == Command::version)
        sub->add_flag("--features", out_.features, "Show what this build and this machine can do");
    }
  }

  void settle() {
    if (version_) out_.command = Command::version;
    const std::vector<std::string> unknown = app_.remaining(true);
    if (!unknown.empty()) out_.text = fault_of(unknown.front());
  }

  std::string fault_of(const std::string& unknown) const {
    std::vector<std::string_view> known;
    if (out_.command == Command::bench) {
      if (!unknown.starts_with('-'))
        return fmt::format("`{}`: bench takes one URL; try bench --help", unknown);
      known = {"--connections", "--pipeline",     "--duration", "--count",         "--rate",
               "--threads",     "--method",       "--header",   "--body",          "--urls",
               "--timeout",     "--no-keepalive", "--backend",  "--expect-status", "--expect-length",
               "--expect-body", "--json",         "--help"};
    } else if (unknown.starts_with('-')) {
      known = {"--listen",   "--port",    "--cores",  "--backend", "--tls-listen",
               "--tls-cert", "--tls-key", "--config", "--help",    "--version"};
      if (out_.command == Command::check) known.emplace_back("--print");
      if (out_.command == Command::version) known.emplace_back("--features");
    } else if (program_ == Program::engine) {
      for (const CommandName& command : commands) known.emplace_back(command.name);
    } else {
      return fmt::format("`{}`: this program takes flags only; try --help", unknown);
    }
    const std::string name = unknown.substr(0, unknown.find('='));
    return fmt::format("unknown {} `{}`; the nearest is `{}`; try --help",
                       unknown.starts_with('-') ? "flag" : "command", name, nearest(name, known));
  }

  Program program_;
  CommandLine& out_;
  CLI::App app_;
  bool version_ = false;
};

}  // namespace

CommandLine read_command_line(Program program, int argc, const char* const* argv) noexcept {
  CommandLine out;
  try {
    Parser(program, out).parse(argc, argv);
  } catch (const std::exception& error) {
    out.help = false;
    out.text = error.what();
  }
  return out;
}

}  // namespace millrace::config
