// access_log.hpp: a line a request.
//
//   app.use(mr::access_log({.path = "/var/log/millrace/access.log"}));
//
// A line is told when its request is done, also one that the engine refused. The core puts it into a buffer of
// its own; one thread writes, at most 50 ms later. When the disk is full or slow, lines are dropped, counted
// (ServerStats::log_lines_dropped) and said on standard error; no request waits.
#pragma once

#include <millrace/namespace.hpp>
#include <millrace/outcome.hpp>
#include <millrace/request.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace millrace {

namespace serve {
class Output;
}
namespace log {
class Writer;
}

enum class LogFormat : std::uint8_t {
  combined,  ///< As Apache and nginx write it; times in UTC. 499: the client left first.
  json,      ///< An object a line, with the duration, the route and the request's id.
};

struct AccessLogOptions {
  std::string path =
      "-";  ///< Appended to; "-": standard output. SIGUSR1, or Server::reopen_logs(), opens it again.
  LogFormat format = LogFormat::combined;
  std::uint32_t buffer_bytes = 1 << 20;  ///< A core; past it lines are dropped.
};

/// Copies write to the same file. What cannot be opened is told by the server's start.
class AccessLog {
 public:
  explicit AccessLog(const AccessLogOptions& options);
  void done(Request& request, const Outcome& outcome) const noexcept;
  serve::Output* output() const noexcept;

 private:
  std::shared_ptr<log::Writer> writer_;
  LogFormat format_;
};

inline AccessLog access_log(const AccessLogOptions& options = {}) { return AccessLog(options); }

}  // namespace millrace
