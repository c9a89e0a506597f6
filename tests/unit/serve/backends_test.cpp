// Goal: all cores get the same backend, and who asked for io_uring by name gets no other. Method: a real
// seccomp filter forbids it to single threads.
#include "engine/serve/backends.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/forbid_uring.hpp"

namespace millrace::serve {
namespace {

struct Opened {
  bool filtered = true;  ///< The kernel took the filter, where one was wanted.
  bool made = false;
  std::string problem;
};

/// A thread a core, as a server has them; `forbidden` of them may not use io_uring.
std::vector<Opened> open_all(Backends& backends, std::size_t cores, std::size_t forbidden) {
  std::vector<Opened> opened(cores);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < cores; ++i) {
    threads.emplace_back([&backends, &mine = opened[i], forbid = i < forbidden] {
      if (forbid) mine.filtered = test::forbid_uring(EPERM);
      mine.made = backends.open(mine.problem) != nullptr;
    });
  }
  for (std::thread& thread : threads) thread.join();
  return opened;
}

ServerOptions options_with(const char* backend) {
  ServerOptions options;
  options.backend = backend;
  options.ring_entries = 64;
  options.ring_completions = 256;
  options.ring_buffers = 16;
  return options;
}

TEST_CASE("Backends: what each setting comes to, with io_uring for all, for some or for none") {
  struct Case {
    const char* wanted;
    std::size_t forbidden;
    const char* name;
    bool reason;
  };
  const Case cases[] = {
      {"auto", 0, "io_uring", false},  {"auto", 1, "epoll", true},   {"auto", 3, "epoll", true},
      {"uring", 0, "io_uring", false}, {"uring", 1, "", true},       {"uring", 3, "", true},
      {"epoll", 0, "epoll", false},    {"epoll", 3, "epoll", false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.wanted);
    CAPTURE(c.forbidden);
    Backends backends(options_with(c.wanted), 3);
    const bool serves = *c.name != '\0';
    for (const Opened& opened : open_all(backends, 3, c.forbidden)) {
      REQUIRE(opened.filtered);
      CHECK(opened.made == serves);
      CHECK(opened.problem.empty() == serves);
      if (!serves) CHECK(opened.problem == backends.answer().reason);
    }
    CHECK(backends.answer().name == c.name);
    const std::string reason = backends.answer().reason;
    CHECK(reason.empty() != c.reason);
    if (c.reason) CHECK(reason.starts_with("io_uring cannot be used: a seccomp filter forbids it"));
  }
}

TEST_CASE("Backends: a thread that was not started is not waited for") {
  Backends backends(options_with("auto"), 2);
  backends.absent();
  CHECK(open_all(backends, 1, 0)[0].made);
  CHECK(backends.answer().name == "io_uring");
}

TEST_CASE("try_backend: tells what a server would get") {
  BackendAnswer allowed, forbidden, insisted;
  allowed = try_backend(options_with("auto"));
  std::thread([&] {
    REQUIRE(test::forbid_uring(ENOSYS));
    forbidden = try_backend(options_with("auto"));
    insisted = try_backend(options_with("uring"));
  }).join();
  CHECK(allowed.name == "io_uring");
  CHECK(allowed.reason.empty());
  CHECK(forbidden.name == "epoll");
  CHECK(forbidden.reason.find("seccomp") != std::string::npos);
  CHECK(insisted.name.empty());
  CHECK(insisted.reason == forbidden.reason);
}

}  // namespace
}  // namespace millrace::serve
