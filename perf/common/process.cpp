#include "perf/common/process.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "perf/common/arguments.hpp"

namespace millrace::perf {
namespace {

[[noreturn]] void fail_call(const std::string& what) { fail(what + ": " + std::strerror(errno)); }

sockaddr_in address(const std::string& host, std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  if (inet_pton(AF_INET, host.c_str(), &out.sin_addr) != 1) fail_usage("not an IPv4 address: " + host);
  return out;
}

}  // namespace

void pin(std::uint64_t cpu) {
  if (cpu == any_cpu) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) fail_call("cannot run on CPU " + std::to_string(cpu));
}

std::uint64_t open_files_max() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) fail_call("cannot read the limit of open files");
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) fail_call("cannot raise the limit of open files");
  return limit.rlim_cur;
}

void set_option(int descriptor, int level, int option, int value) {
  if (setsockopt(descriptor, level, option, &value, sizeof value) != 0)
    fail_call("cannot set a socket option");
}

int listen_on(std::uint16_t port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0) fail_call("cannot open a socket");
  set_option(listener, SOL_SOCKET, SO_REUSEADDR, 1);
  set_option(listener, IPPROTO_TCP, TCP_NODELAY, 1);
  const sockaddr_in local = address("127.0.0.1", port);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&local), sizeof local) != 0 ||
      listen(listener, 4096) != 0)
    fail_call("cannot listen on port " + std::to_string(port));
  return listener;
}

std::uint16_t port_of(int listener) {
  sockaddr_in local{};
  socklen_t size_bytes = sizeof local;
  if (getsockname(listener, reinterpret_cast<sockaddr*>(&local), &size_bytes) != 0)
    fail_call("cannot read the listener's address");
  return ntohs(local.sin_port);
}

int connect_to(const std::string& host, std::uint16_t port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) fail_call("cannot open a socket");
  set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
  const sockaddr_in peer = address(host, port);
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) != 0)
    fail_call("cannot connect to " + host + ":" + std::to_string(port));
  return descriptor;
}

}  // namespace millrace::perf
