// idle.cpp: holds very many idle keep-alive connections, and asks on them again when told to. Not part of the
// engine, and shares no code with it.
//
//   idle_load --port N [--connections 1000000] [--spare-bytes N]
//
// One process has too few descriptors, and one address too few ports: so it is as many processes as the limit of
// open files asks for, each with source addresses of its own: 127.1.0.0, 127.1.0.1, ... Each connection has one
// request answered once it is open. Then a line of standard input is a command: `sample N` asks on N of them, drawn
// at random, `sweep` on all. Every command, and the opening before them, is answered by a line of JSON. It ends with
// its input. It stops opening where the machine has no more than --spare-bytes of memory left, and says so.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "perf/common/arguments.hpp"
#include "perf/common/process.hpp"

namespace millrace::perf {
namespace {

constexpr std::string_view request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr std::string_view status = "HTTP/1.1 200 OK\r\n";
constexpr std::string_view body = "\r\n\r\nHello world!";
constexpr std::size_t spare_files = 64;
constexpr std::uint32_t connections_of_holder = 20'000;
/// Far fewer than there are ports: where half of them are taken, the kernel searches thousands for a free one.
constexpr std::uint32_t connections_of_source = 5'000;
constexpr std::uint32_t sources_of_holder = connections_of_holder / connections_of_source;

struct Command {
  enum class Kind : std::uint8_t { open, sample } kind = Kind::open;
  std::uint32_t count = 0;  ///< Of connections to open, or to ask on; those drawn for a sample may repeat.
  bool all = false;         ///< A sample of each of them once.
};

struct Outcome {
  std::uint32_t done = 0;
  char problem[160] = "";  ///< What ended it before its count; else empty.
};

/// A process that holds some of the connections.
class Holder {
 public:
  Holder(std::uint16_t port, std::uint32_t number, const std::atomic<bool>& stop)
      : port_(port), number_(number), stop_(stop), random_(number) {}

  Outcome run(const Command& command) {
    Outcome outcome;
    for (std::uint32_t i = 0; i < command.count; ++i) {
      if (!step(command, i)) {
        std::snprintf(outcome.problem, sizeof outcome.problem, "%s", problem_.c_str());
        return outcome;
      }
      ++outcome.done;
    }
    return outcome;
  }

 private:
  bool step(const Command& command, std::uint32_t index) {
    if (command.kind == Command::Kind::open)
      return !stop_.load(std::memory_order_relaxed) && open() && ask(held_.back());
    return ask(held_[command.all ? index : random_() % held_.size()]);
  }

  bool wrong(const std::string& what) {
    problem_ = what + (errno != 0 ? std::string(": ") + std::strerror(errno) : std::string());
    return false;
  }

  bool open() {
    errno = 0;
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return wrong("cannot open a socket");
    held_.push_back(descriptor);
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(0x7f010000 + number_ * sources_of_holder +
                                static_cast<std::uint32_t>(held_.size() - 1) / connections_of_source);
    // The port is chosen when the peer is known: one that another pair of addresses has is free.
    const int on = 1;
    setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    const timeval patience{.tv_sec = 30, .tv_usec = 0};
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (bind(descriptor, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0)
      return wrong("cannot bind");
    sockaddr_in peer{};
    peer.sin_family = AF_INET;
    peer.sin_port = htons(port_);
    peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(descriptor, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) != 0)
      return wrong("cannot connect");
    return true;
  }

  bool ask(int descriptor) {
    errno = 0;
    if (send(descriptor, request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size()))
      return wrong("cannot send");
    char buffer[1024];
    std::string_view got;
    while (!got.ends_with(body)) {
      const ssize_t size = recv(descriptor, buffer + got.size(), sizeof buffer - got.size(), 0);
      if (size == 0) return wrong("the server closed a connection");
      if (size < 0) return wrong("no answer");
      got = {buffer, got.size() + static_cast<std::size_t>(size)};
    }
    return got.starts_with(status) || wrong("wrong answer");
  }

  const std::uint16_t port_;
  const std::uint32_t number_;
  const std::atomic<bool>& stop_;
  std::mt19937 random_;
  std::vector<int> held_;
  std::string problem_;
};

struct Child {
  int channel = -1;
  std::uint32_t share = 0;   ///< To open.
  std::uint32_t opened = 0;  ///< Of them.
};

[[noreturn]] void hold(int channel, Holder holder) {
  for (Command command; read(channel, &command, sizeof command) == sizeof command;) {
    const Outcome outcome = holder.run(command);
    if (write(channel, &outcome, sizeof outcome) != sizeof outcome) break;
  }
  _exit(0);  // The kernel closes what it held.
}

std::uint64_t available_bytes() {
  std::FILE* file = std::fopen("/proc/meminfo", "re");
  if (file == nullptr) fail("cannot read /proc/meminfo");
  unsigned long long kilobytes = 0;
  char line[128];
  while (std::fgets(line, sizeof line, file) != nullptr) {
    if (std::sscanf(line, "MemAvailable: %llu", &kilobytes) == 1) break;
  }
  std::fclose(file);
  return kilobytes * 1024;
}

/// Gives each its command, and waits for all of them.
void step(const char* name, std::vector<Child>& children, const std::vector<Command>& commands,
          std::atomic<bool>& stop, std::uint64_t spare_bytes) {
  const auto begin = std::chrono::steady_clock::now();
  std::vector<pollfd> waiting;
  for (std::size_t i = 0; i < children.size(); ++i) {
    if (write(children[i].channel, &commands[i], sizeof commands[i]) != sizeof commands[i])
      fail("a process has ended");
    waiting.push_back({.fd = children[i].channel, .events = POLLIN, .revents = 0});
  }
  std::uint64_t done = 0;
  std::string problem;
  for (std::size_t left = children.size(); left != 0;) {
    poll(waiting.data(), waiting.size(), 200);
    if (!stop && available_bytes() < spare_bytes) {
      problem = "the machine has no more memory to spare";
      stop = true;
    }
    for (std::size_t i = 0; i < children.size(); ++i) {
      if (waiting[i].revents == 0) continue;
      Outcome outcome;
      if (read(waiting[i].fd, &outcome, sizeof outcome) != sizeof outcome) fail("a process has ended");
      waiting[i] = {.fd = -1, .events = 0, .revents = 0};
      --left;
      done += outcome.done;
      if (commands[i].kind == Command::Kind::open) children[i].opened = outcome.done;
      if (problem.empty()) problem = outcome.problem;
    }
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("{\"step\": \"%s\", \"connections\": %llu, \"seconds\": %.3f, \"problem\": \"%s\"}\n", name,
              static_cast<unsigned long long>(done), took.count(), problem.c_str());
  std::fflush(stdout);
}

std::vector<Child> start(std::uint16_t port, std::uint64_t connections, const std::atomic<bool>& stop) {
  const std::uint64_t each = std::min<std::uint64_t>(open_files_max() - spare_files, connections_of_holder);
  std::vector<Child> children((connections + each - 1) / each);
  for (std::uint32_t i = 0; i < children.size(); ++i) {
    children[i].share =
        static_cast<std::uint32_t>(connections / children.size() + (i < connections % children.size()));
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
      fail("cannot open a pair of sockets");
    children[i].channel = ends[0];
    const pid_t forked = fork();
    if (forked < 0) fail(std::string("cannot fork: ") + std::strerror(errno));
    if (forked == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (std::uint32_t other = 0; other <= i; ++other) close(children[other].channel);
      hold(ends[1], Holder(port, i, stop));
    }
    close(ends[1]);
  }
  return children;
}

}  // namespace
}  // namespace millrace::perf

int main(int argc, char** argv) {
  using namespace millrace::perf;
  Arguments arguments(argc, argv);
  const auto port = static_cast<std::uint16_t>(arguments.number("--port", 0));
  const std::uint64_t connections = arguments.number("--connections", 1'000'000);
  const std::uint64_t spare_bytes = arguments.number("--spare-bytes", std::uint64_t{2} << 30);
  arguments.finish();
  if (port == 0 || connections == 0) fail_usage("--port N is needed, and --connections of 1 at least");

  void* shared =
      mmap(nullptr, sizeof(std::atomic<bool>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) fail("no memory to share");
  auto& stop = *new (shared) std::atomic<bool>(false);
  std::vector<Child> children = start(port, connections, stop);

  std::vector<Command> commands(children.size());
  for (std::size_t i = 0; i < children.size(); ++i)
    commands[i] = {.kind = Command::Kind::open, .count = children[i].share};
  step("open", children, commands, stop, spare_bytes);
  char line[64];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    unsigned long long count = 0;
    const bool sample = std::sscanf(line, "sample %llu", &count) == 1;
    if (!sample && std::string_view(line) != "sweep\n") fail_usage(std::string("not a command: ") + line);
    for (std::size_t i = 0; i < children.size(); ++i) {
      const auto share = static_cast<std::uint32_t>((count + children.size() - 1) / children.size());
      commands[i] = {.kind = Command::Kind::sample,
                     .count = sample && children[i].opened != 0 ? share
                              : sample                          ? 0
                                                                : children[i].opened,
                     .all = !sample};
    }
    step(sample ? "sample" : "sweep", children, commands, stop, 0);
  }
  return 0;
}
