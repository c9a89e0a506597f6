#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/config/config.hpp"
#include "engine/config/nearest.hpp"
#include "engine/serve/secure.hpp"

namespace millrace::config {
namespace {

constexpr std::size_t file_bytes_max = 4u << 20;
constexpr std::string_view default_address = "127.0.0.1:8080";

/// Reads a file; empty, or what went wrong.
std::string read_file(const std::string& path, std::string& text) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fmt::format("cannot be read: {}", std::strerror(errno));
  std::array<char, 64 * 1024> part;
  while (file.read(part.data(), part.size()) || file.gcount() > 0) {
    text.append(part.data(), static_cast<std::size_t>(file.gcount()));
    if (text.size() > file_bytes_max) return "is larger than 4m, which no configuration is";
  }
  return file.bad() ? "cannot be read to its end; is it a directory?" : std::string();
}

std::string find_file(const Flags& flags) {
  if (flags.config) return *flags.config;
  for (const char* path : {"millrace.toml", "/etc/millrace/millrace.toml"}) {
    if (access(path, F_OK) == 0) return path;
  }
  return {};
}

void apply_file(const Flags& flags, Config& config, Report& report) {
  const std::string path = find_file(flags);
  if (path.empty()) {
    if (flags.config) report.problems.emplace_back("--config: expected the path of a file");
    return;
  }
  std::string text;
  const std::string fault = read_file(path, text);
  if (!fault.empty()) {
    report.problems.push_back(fmt::format("{}{} {}", flags.config ? "--config: " : "", path, fault));
    return;
  }
  config.file = path;
  apply_file_text(text, path, config, report);
}

/// Judges a value from outside of the file.
void apply_value(std::size_t index, std::string_view origin, std::string value, Config& config,
                 Report& report) {
  const Value plain{.shape = Value::Shape::plain, .text = std::move(value)};
  const std::string fault = assign(settings[index], plain, config.server);
  if (fault.empty())
    config.origins[index] = origin;
  else
    report.problems.push_back(fmt::format("{} = \"{}\": {}", origin, plain.text, fault));
}

std::string variable_of(const Setting& setting) {
  std::string name = fmt::format("MILLRACE_{}_{}", setting.section, setting.key);
  for (char& c : name) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return name;
}

void warn_unknown_variable(std::string_view name, std::span<const std::string> known, Report& report) {
  const std::vector<std::string_view> names(known.begin(), known.end());
  report.warnings.push_back(
      fmt::format("{}: no such setting, ignored; the nearest is {}", name, nearest(name, names)));
}

/// Sockets that systemd, or what speaks its protocol, has opened for this process: sd_listen_fds(3).
std::string passed_sockets(std::string_view count_text, std::string_view pid_text, Report& report) {
  constexpr int first_descriptor = 3;
  constexpr int sockets_max = 1024;
  if (count_text.empty() || pid_text != std::to_string(::getpid())) return {};  // Meant for another process.
  int count = 0;
  const char* const end = count_text.data() + count_text.size();
  const auto [at, error] = std::from_chars(count_text.data(), end, count);
  if (error != std::errc() || at != end || count < 1 || count > sockets_max) {
    report.problems.push_back(
        fmt::format("LISTEN_FDS = \"{}\": expected the number of sockets, 1 to {}", count_text, sockets_max));
    return {};
  }
  std::string addresses;
  for (int i = 0; i < count; ++i)
    addresses += fmt::format("{}fd:{}", i == 0 ? "" : ",", first_descriptor + i);
  return addresses;
}

/// The default address is for those who named none: not beside HTTPS that somebody asked for.
void settle_listen(Config& config) {
  ServerOptions& server = config.server;
  const bool named = !config.origins[index_of("server", "listen")].empty();
  if (!named && !server.tls_listen.empty()) server.listen.clear();
}

/// An empty list is legal where the other one names an address.
void check_listen(const Config& config, Report& report) {
  if (config.server.listen.empty() && config.server.tls_listen.empty())
    report.problems.push_back(fmt::format("{}: [server] listen is empty: name an address, such as \"{}\"",
                                          config.origins[index_of("server", "listen")], default_address));
}

/// A build without TLS: nothing of [tls] may be other than by default.
void refuse_tls(const Config& config, Report& report) {
  const ServerOptions defaults;
  const auto refuse = [&report](std::string_view origin, std::string_view key) {
    report.problems.push_back(fmt::format("{}: [tls] {} {}", origin, key, serve::no_secure));
  };
  for (std::size_t index = 0; index < settings_count; ++index) {
    const Setting& setting = settings[index];
    if (setting.section == "tls" && show(setting, config.server) != show(setting, defaults))
      refuse(config.origins[index], setting.key);
  }
  if (!config.server.tls_certificates.empty()) refuse(config.certificates_origin, "certificates");
  if (config.hsts_ms != 0) refuse(config.hsts_origin, "hsts");
}

/// The certificates are read here too, so that every fault is told before anything starts.
void check_tls(const Config& config, Report& report) {
  const ServerOptions& server = config.server;
  const auto secure = serve::make_secure();
  if (secure == nullptr) return refuse_tls(config, report);
  if (server.tls_listen.empty()) {
    if (!server.tls_cert.empty() || !server.tls_certificates.empty())
      report.warnings.emplace_back(
          "[tls] has a certificate, but listen is missing: nothing speaks TLS; add listen = "
          "[\"0.0.0.0:443\"]");
    return;
  }
  if (server.tls_redirect && server.listen.empty())
    report.warnings.emplace_back(
        "[tls] redirect is set, but [server] listen is empty: there is nothing to redirect from; add listen "
        "= "
        "[\"0.0.0.0:80\"]");
  if (server.tls_client_auth == "off" && !server.tls_client_ca.empty())
    report.warnings.emplace_back(
        "[tls] client_ca is set, but client_auth is \"off\": no client is asked for a certificate");
  for (const std::string& address : server.tls_listen) {
    const bool any_port = address.ends_with(":0");
    if (!any_port && std::find(server.listen.begin(), server.listen.end(), address) != server.listen.end())
      report.problems.push_back(
          fmt::format("the address {} is in [server] listen and in [tls] listen: take one away", address));
  }
  secure->load(server, 1, report.problems, report.warnings);
}

void check_together(Config& config, Report& report) {
  const ServerOptions& server = config.server;
  if (server.ring_completions < server.ring_entries)
    report.problems.push_back(
        fmt::format("[rings] completions = {}: must not be less than [rings] entries = {}",
                    server.ring_completions, server.ring_entries));
}

}  // namespace

void apply_environment(std::span<const std::string_view> environment, Config& config, Report& report) {
  std::vector<std::string> known;
  for (const Setting& setting : settings) known.push_back(variable_of(setting));
  known.emplace_back("MILLRACE_ISA");  // Read by http::choose_isa().
  const std::size_t listen = index_of("server", "listen");
  std::string_view port, passed_count, passed_pid;
  bool listens = false;
  for (const std::string_view variable : environment) {
    const std::size_t equals = std::min(variable.find('='), variable.size());
    const std::string_view name = variable.substr(0, equals);
    const std::string_view value = variable.substr(std::min(equals + 1, variable.size()));
    if (name == "PORT") port = value;
    if (name == "LISTEN_FDS") passed_count = value;
    if (name == "LISTEN_PID") passed_pid = value;
    if (!name.starts_with("MILLRACE_") || name == known.back()) continue;
    std::size_t index = 0;
    while (index < settings_count && known[index] != name) ++index;
    if (index == settings_count) {
      warn_unknown_variable(name, known, report);
      continue;
    }
    apply_value(index, name, std::string(value), config, report);
    listens = listens || index == listen;
  }
  if (listens) return;
  const std::string passed = passed_sockets(passed_count, passed_pid, report);
  if (!passed.empty()) return apply_value(listen, "LISTEN_FDS", passed, config, report);
  // Platforms that give PORT send traffic from outside of the container: every address.
  if (!port.empty()) apply_value(listen, "PORT", fmt::format("0.0.0.0:{}", port), config, report);
}

void apply_flags(const Flags& flags, Config& config, Report& report) {
  std::string addresses;
  for (const std::string& address : flags.listen)
    addresses += fmt::format("{}{}", addresses.empty() ? "" : ",", address);
  const std::string_view origin = flags.listen.empty() ? "--port" : "--listen";
  if (flags.port) addresses += fmt::format("{}127.0.0.1:{}", addresses.empty() ? "" : ",", *flags.port);
  if (flags.port || !flags.listen.empty())
    apply_value(index_of("server", "listen"), origin, addresses, config, report);
  if (flags.tls_cert) apply_value(index_of("tls", "cert"), "--tls-cert", *flags.tls_cert, config, report);
  if (flags.tls_key) apply_value(index_of("tls", "key"), "--tls-key", *flags.tls_key, config, report);
  if (!flags.tls_listen.empty())
    apply_value(index_of("tls", "listen"), "--tls-listen",
                fmt::format("{}", fmt::join(flags.tls_listen, ",")), config, report);
  if (flags.cores) apply_value(index_of("server", "cores"), "--cores", *flags.cores, config, report);
  if (flags.backend) apply_value(index_of("server", "backend"), "--backend", *flags.backend, config, report);
}

Config load(const Flags& flags, std::span<const std::string_view> environment, Report& report) {
  Config config;
  config.server.listen = {std::string(default_address)};
  apply_file(flags, config, report);
  apply_environment(environment, config, report);
  apply_flags(flags, config, report);
  settle_listen(config);
  check_listen(config, report);
  check_together(config, report);
  check_tls(config, report);
  return config;
}

std::vector<std::string_view> process_environment() {
  std::vector<std::string_view> found;
  for (char** variable = environ; *variable != nullptr; ++variable) found.emplace_back(*variable);
  return found;
}

}  // namespace millrace::config
