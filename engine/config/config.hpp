// config.hpp: what the file, the environment and the flags come to.
//
//   default < file < environment < flag -> load() -> Config -> serve
//
// Everything is judged before anything starts, and every problem is reported, not only the first.
#pragma once

#include <millrace/files.hpp>
#include <millrace/middleware/compress.hpp>
#include <millrace/middleware/cors.hpp>
#include <millrace/middleware/headers.hpp>
#include <millrace/server.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/config/setting.hpp"

namespace millrace::config {

using FieldList = std::vector<std::pair<std::string, std::string>>;

/// 0: none.
struct RateConfig {
  double per_second = 0;
  double burst = 0;
};

struct LogConfig {
  std::string path;  ///< Empty: none.
  std::string format = "combined";
};

/// A file of names with hashes of passwords, or one of tokens; none where both are empty.
struct AuthConfig {
  std::string realm = "private";
  std::string users, tokens;
};

/// One [[route]].
struct RouteConfig {
  enum class Kind : std::uint8_t { respond, redirect, files, metrics };

  std::string path;
  Kind kind = Kind::respond;
  std::uint32_t line = 0;  ///< In the file; 0: built in.

  std::uint16_t status = 200;                                ///< Of respond and redirect.
  std::string type;                                          ///< Of respond: Content-Type; empty: none.
  std::vector<std::pair<std::string, std::string>> headers;  ///< Of respond: more fields.
  std::string body;                                          ///< Of respond.
  std::string to;         ///< Of redirect. The request's query is kept where this has none.
  std::string directory;  ///< Of files.
  FilesOptions files;     ///< Of files.

  std::vector<std::string> hosts;    ///< Empty: for no host.
  FieldList added_headers;           ///< Of every kind, where the reply has none of that name.
  RateConfig rate;                   ///< Beside that of the whole server.
  std::uint64_t body_bytes_max = 0;  ///< 0: the server's.
  std::optional<CompressOptions> compress;
  std::optional<CorsOptions> cors;  ///< In place of the whole server's.
  bool without_cors = false;        ///< Nor that.
  std::optional<AuthConfig> auth;
};

struct Config {
  ServerOptions server;
  LogConfig access_log;
  FieldList headers;  ///< Of every reply.
  RateConfig rate;
  std::optional<CompressOptions> compress;
  std::optional<CorsOptions> cors;
  std::optional<SecurityHeaders> security_headers;
  std::optional<AuthConfig> auth;
  std::uint64_t hsts_ms = 0;  ///< 0: no Strict-Transport-Security.
  std::vector<RouteConfig> routes;
  std::array<std::string, settings_count> origins;  ///< Where settings[i] came from; empty: default.
  std::string certificates_origin, hsts_origin;     ///< Of the two keys of [tls] that are no settings.
  std::string file;                                 ///< The file that was read; empty: none.
};

/// Sentences, each with its origin in front: "millrace.toml:3: ...", "--port: ...".
struct Report {
  std::vector<std::string> problems;
  std::vector<std::string> warnings;
};

/// Flags as written; judged by load().
struct Flags {
  std::vector<std::string> listen;
  std::optional<std::string> port;
  std::optional<std::string> cores;
  std::optional<std::string> backend;
  std::optional<std::string> config;
  std::vector<std::string> tls_listen = {};
  std::optional<std::string> tls_cert = {};
  std::optional<std::string> tls_key = {};
};

/// flags        beat everything; flags.config names the file, else the first there is of
///              ./millrace.toml and /etc/millrace/millrace.toml.
/// environment  "NAME=value" each: MILLRACE_<SECTION>_<KEY>, PORT.
/// The result is only good where report.problems stays empty.
Config load(const Flags& flags, std::span<const std::string_view> environment, Report& report);

/// The parts of load(), lowest precedence first; each overwrites what came before.
void apply_file_text(std::string_view text, std::string_view name, Config& config, Report& report);
void apply_environment(std::span<const std::string_view> environment, Config& config, Report& report);
void apply_flags(const Flags& flags, Config& config, Report& report);

/// The environment of this process, in the form load() takes.
std::vector<std::string_view> process_environment();

/// The effective configuration as a file with the origin of each value behind it.
/// backend_here  what the backend comes to on this machine, for the comment behind it.
std::string print(const Config& config, std::string_view backend_here);

}  // namespace millrace::config
