// Goal: with own_descriptors a connection takes nothing from the process's table, and nothing outlives the server in
// any table. Method: the test's own table is the process's, so it counts what is in it.
#include <doctest/doctest.h>
#include <millrace/millrace.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/serve/socket_client.hpp"

namespace millrace::test {
namespace {

using namespace std::chrono_literals;

constexpr int cores = 3;
constexpr int clients_count = 12;

int open_descriptors() {
  int found = 0;
  for (int descriptor = 0; descriptor < 1024; ++descriptor) found += ::fcntl(descriptor, F_GETFD) != -1;
  return found;
}

template <class Condition>
bool eventually(Condition&& condition) {
  for (int tries = 0; tries < 5000 && !condition(); ++tries) std::this_thread::sleep_for(1ms);
  return condition();
}

ServerOptions options_with(const std::string& path) {
  ServerOptions options;
  options.listen = {"127.0.0.1:0", "unix:" + path};
  options.cores = cores;
  options.own_descriptors = true;
  if (const char* backend = std::getenv("TEST_BACKEND")) options.backend = backend;
  options.ring_entries = 64;
  options.ring_completions = 256;
  options.ring_buffers = 16;
  return options;
}

// ThreadSanitizer takes descriptors of the same number for the same one, in whichever table they are.
#ifdef __SANITIZE_THREAD__
constexpr bool one_table_assumed = true;
#else
constexpr bool one_table_assumed = false;
#endif

TEST_CASE("Server: where cores have descriptors of their own, connections are not in the process's table" *
          doctest::skip(one_table_assumed)) {
  App app;
  app.get("/", [] { return "hello"; });
  std::atomic<bool> answer{false};
  app.get("/wait", [&]() -> Task<std::string> {
    while (!answer) co_await sleep(1ms);
    co_return "waited";
  });
  Server server(app, options_with("/tmp/millrace_own_descriptors_" + std::to_string(::getpid()) + ".sock"));
  const int before = open_descriptors();
  for (int round = 0; round < 2; ++round) {
    answer = false;
    REQUIRE(server.start().empty());
    const std::vector<std::string> addresses = server.addresses();
    const int started = open_descriptors();
    CHECK(started == before + cores);  // What wakes the cores, and no listener.
    std::atomic<int> answered{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < clients_count; ++i) {
      clients.emplace_back([&, i] {
        const std::string request = "GET /wait HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
        answered += ask(addresses[static_cast<std::size_t>(i) % 2], request).ends_with("waited");
      });
    }
    CHECK(eventually([&] { return server.stats().connections_open == clients_count; }));
    CHECK(open_descriptors() == started + clients_count);  // The clients' ends alone.
    answer = true;
    for (std::thread& client : clients) client.join();
    CHECK(answered == clients_count);
    server.stop(1000);
    CHECK(open_descriptors() == before);
    CHECK_FALSE(SocketClient(addresses[0]).connected());  // No table has a listener any more.
  }
}

}  // namespace
}  // namespace millrace::test
