#include "engine/config/serve.hpp"

#include <sys/resource.h>

#include <cstdio>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/config/notify.hpp"
#include "engine/config/signals.hpp"
#include "engine/serve/secure.hpp"

namespace millrace::config {
namespace {

/// How often a drain is looked at: long enough to cost nothing, too short to be noticed.
constexpr std::int64_t drain_look_ms = 20;

/// A connection is a descriptor: what the hard limit allows is taken, as no select(2) is used here.
void raise_descriptor_limit() {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void say(std::FILE* where, const std::string& line) {
  std::fputs((line + "\n").c_str(), where);
  std::fflush(where);
}

std::string greeting(const Server& server) {
  std::vector<std::string> urls;
  for (const std::string& address : server.addresses())
    urls.push_back(address.starts_with("unix:") ? address : "http://" + address);
  for (const std::string& address : server.tls_addresses())
    urls.push_back(address.starts_with("unix:") ? address : "https://" + address);
  return fmt::format("millrace {}: {} ({} {}, {})", MR_VERSION, fmt::join(urls, " "), server.cores(),
                     server.cores() == 1 ? "core" : "cores", server.backend());
}

/// What runs, and what HUP reads again for it.
struct Running {
  Server& server;
  const ServerOptions& options;
  const SecretFiles& files;
};

/// Where one certificate is bad, all that are in use stay.
void reload_certificates(const Running& running) {
  const auto trial = serve::make_secure();
  std::vector<std::string> problems;
  std::vector<std::string> warnings;
  trial->load(running.options, 1, problems, warnings);
  for (const std::string& warning : warnings) say(stderr, "warning: " + warning);
  for (const std::string& problem : problems) say(stderr, problem);
  if (!problems.empty()) return say(stderr, "millrace: it goes on with the certificates it has");
  const std::string problem = running.server.reload_certificates();
  say(stderr, "millrace: " + (problem.empty() ? "the certificates were read again" : problem));
}

/// Each file for itself: a bad one does not keep out whom another one lets in.
void reload_secrets(const SecretFiles& files) {
  for (const auto& file : files) {
    const std::string problem = file->read();
    say(stderr, problem.empty()
                    ? fmt::format("millrace: {} was read again", file->path())
                    : fmt::format("millrace: {}; who could come in by that file still can", problem));
  }
}

void reload(const Running& running) {
  if (!running.options.tls_listen.empty()) reload_certificates(running);
  reload_secrets(running.files);
  if (running.options.tls_listen.empty() && running.files.empty())
    say(stderr, fmt::format("millrace: this version does not have {}; it goes on", purpose_of(SIGHUP)));
}

/// The next signal that ends or hurries the server; 0 after timeout_ms without one.
int wait_for_end(const Running& running, Signals& signals, std::int64_t timeout_ms) {
  for (;;) {
    const int signal = signals.wait(timeout_ms);
    if (signal == 0) return signal;
    const Wish wish = wish_of(signal);
    if (wish == Wish::reload) {
      reload(running);
      continue;
    }
    if (wish == Wish::reopen_logs) {
      running.server.reopen_logs();
      continue;
    }
    if (wish != Wish::later_version) return signal;
    say(stderr, fmt::format("millrace: this version does not have {}; it goes on", purpose_of(signal)));
  }
}

/// A second signal, in the delay or in the grace, means now.
void drain(const Running& running, Signals& signals, std::int64_t delay_ms) {
  Server& server = running.server;
  notify("STOPPING=1");
  bool now = delay_ms > 0 && wait_for_end(running, signals, delay_ms) != 0;
  server.drain(now ? 0 : running.options.drain_grace_ms);
  while (!server.drained()) {
    if (wait_for_end(running, signals, drain_look_ms) == 0 || now) continue;
    now = true;
    server.drain(0);
  }
  server.stop(0);
}

}  // namespace

int serve(App& app, const Config& config, const SecretFiles& files) {
  Signals signals;
  raise_descriptor_limit();
  Server server(app, config.server);
  const std::string problem = server.start();
  if (!problem.empty()) {
    say(stderr, "millrace: " + problem);
    return 1;
  }
  if (const std::string reason = server.backend_reason(); !reason.empty())
    say(stderr, "millrace: serves on epoll: " + reason);
  say(stdout, greeting(server));
  notify("READY=1");
  const Running running{server, config.server, files};
  const Wish wish = wish_of(wait_for_end(running, signals, -1));
  drain(running, signals, wish == Wish::drain_delayed ? config.server.drain_delay_ms : 0);
  return 0;
}

}  // namespace millrace::config
