// Goal: a Server as a program holds it: it starts whole or not at all, says why, and stops in time, with
// requests under way and with clients that come and go. Method: real sockets on ports that the kernel chose;
// TEST_BACKEND names the backend.
#include <doctest/doctest.h>
#include <millrace/millrace.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
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
using Clock = std::chrono::steady_clock;

struct Fixture {
  App app;
  std::atomic<int> waiting{0};
  std::atomic<int> cancelled{0};

  Fixture() {
    app.get("/", [] { return "hello"; });
    app.get("/wait/{ms}", [this](std::uint32_t ms) -> Task<std::string> {
      ++waiting;
      try {
        co_await sleep(std::chrono::milliseconds(ms));
      } catch (const Cancelled&) {
        ++cancelled;
        throw;
      }
      co_return "waited";
    });
  }
};

ServerOptions options_on(std::vector<std::string> listen, std::uint32_t cores = 1) {
  ServerOptions options;
  options.listen = std::move(listen);
  options.cores = cores;
  if (const char* backend = std::getenv("TEST_BACKEND")) options.backend = backend;
  options.ring_entries = 64;
  options.ring_completions = 256;
  options.ring_buffers = 16;
  return options;
}

std::string socket_path(const char* name) {
  return "/tmp/millrace_server_test_" + std::to_string(::getpid()) + "_" + name + ".sock";
}

template <class Condition>
bool eventually(Condition&& condition, std::chrono::milliseconds limit = 5s) {
  for (const auto end = Clock::now() + limit; Clock::now() < end; std::this_thread::sleep_for(1ms)) {
    if (condition()) return true;
  }
  return condition();
}

int open_descriptors() {
  int found = 0;
  for (int descriptor = 0; descriptor < 1024; ++descriptor) found += ::fcntl(descriptor, F_GETFD) != -1;
  return found;
}

const std::string hello = "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";

TEST_CASE("Server: starts, serves, counts and stops; and again") {
  Fixture fixture;
  Server server(fixture.app, options_on({"127.0.0.1:0"}, 2));
  CHECK(server.drained());
  CHECK(server.backend().empty());
  const char* backend = std::getenv("TEST_BACKEND");
  for (int round = 0; round < 2; ++round) {
    const std::string problem = server.start();
    REQUIRE(problem.empty());
    CHECK(server.backend() == (backend != nullptr && std::string(backend) == "epoll" ? "epoll" : "io_uring"));
    CHECK(server.backend_reason().empty());
    CHECK_FALSE(server.drained());
    CHECK(server.cores() == 2);
    REQUIRE(server.addresses().size() == 1);
    for (int i = 0; i < 10; ++i) CHECK(ask(server.addresses()[0], hello).ends_with("hello"));
    CHECK(eventually([&] { return server.stats().requests == 10; }));
    CHECK(server.stats().connections_accepted == 10);
    CHECK(eventually([&] { return server.stats().connections_open == 0; }));
    server.stop(1000);
    CHECK(server.drained());
    CHECK(server.stats().requests == 0);
  }
}

TEST_CASE("Server: several addresses, one of them a unix socket of two cores") {
  Fixture fixture;
  const std::string path = socket_path("many");
  Server server(fixture.app, options_on({"127.0.0.1:0", "127.0.0.1:0", "unix:" + path}, 2));
  REQUIRE(server.start().empty());
  const std::vector<std::string> addresses = server.addresses();
  REQUIRE(addresses.size() == 3);
  CHECK(addresses[0] != addresses[1]);
  CHECK(addresses[2] == "unix:" + path);
  for (const std::string& address : addresses) {
    for (int i = 0; i < 20; ++i) CHECK(ask(address, hello).ends_with("hello"));
  }
  server.stop(1000);
  struct stat status {};
  CHECK(::stat(path.c_str(), &status) != 0);
}

TEST_CASE("Server: what a child process may inherit does not hold its sockets") {
  Fixture fixture;
  const std::string path = socket_path("exec");
  Server server(fixture.app, options_on({"127.0.0.1:0", "unix:" + path}, 3));
  REQUIRE(server.start().empty());
  int inherited = 0;
  for (int descriptor = 3; descriptor < 1024; ++descriptor) {
    const int flags = ::fcntl(descriptor, F_GETFD);
    struct stat status {};
    if (flags == -1 || ::fstat(descriptor, &status) != 0 || !S_ISSOCK(status.st_mode)) continue;
    inherited += (flags & FD_CLOEXEC) == 0;
  }
  CHECK(inherited == 0);
}

TEST_CASE("Server: where one address cannot be had, nothing runs and nothing is left") {
  Fixture fixture;
  Server first(fixture.app, options_on({"127.0.0.1:0"}));
  REQUIRE(first.start().empty());
  const std::string taken = first.addresses()[0];
  const std::string path = socket_path("half");
  const int before = open_descriptors();

  Server second(fixture.app, options_on({"127.0.0.1:0", "unix:" + path, taken}, 2));
  std::string problem = second.start();
  CHECK(problem.find(taken + " is in use") != std::string::npos);
  CHECK(second.drained());
  CHECK(second.stats().connections_open == 0);
  struct stat status {};
  CHECK(::stat(path.c_str(), &status) != 0);
  CHECK(open_descriptors() == before);
  second.stop(1000);
  second.drain(0);
  problem = second.start();
  CHECK_FALSE(problem.empty());

  CHECK(ask(taken, hello).ends_with("hello"));
  first.stop(1000);
  CHECK(second.start().empty());
  CHECK(ask(taken, hello).ends_with("hello"));
}

TEST_CASE("Server: a second one in the process has its own sockets and counters") {
  Fixture fixture;
  Server one(fixture.app, options_on({"127.0.0.1:0"}, 2));
  Server two(fixture.app, options_on({"127.0.0.1:0"}, 1));
  REQUIRE(one.start().empty());
  REQUIRE(two.start().empty());
  CHECK(ask(two.addresses()[0], hello).ends_with("hello"));
  one.stop(0);
  CHECK(ask(two.addresses()[0], hello).ends_with("hello"));
  CHECK(eventually([&] { return two.stats().requests == 2; }));
}

TEST_CASE("Server: options that no server can run with are refused by a sentence") {
  Fixture fixture;
  struct Case {
    const char* name;
    void (*change)(ServerOptions&);
  };
  const Case cases[] = {
      {"ring_buffers", [](ServerOptions& options) { options.ring_buffers = 3; }},
      {"ring_buffers", [](ServerOptions& options) { options.ring_buffers = 0; }},
      {"ring_entries", [](ServerOptions& options) { options.ring_entries = 100; }},
      {"ring_completions", [](ServerOptions& options) { options.ring_completions = 32; }},
      {"pipeline", [](ServerOptions& options) { options.pipeline = 0; }},
      {"pipeline", [](ServerOptions& options) { options.pipeline = 70'000; }},
      {"header_bytes", [](ServerOptions& options) { options.header_bytes = 65'536; }},
      {"headers", [](ServerOptions& options) { options.headers = 0; }},
      {"connections", [](ServerOptions& options) { options.connections = 0; }},
      {"output_bytes", [](ServerOptions& options) { options.output_bytes = 0; }},
      {"cores", [](ServerOptions& options) { options.cores = 5000; }},
      {"kqueue", [](ServerOptions& options) { options.backend = "kqueue"; }},
      {"tls_client_auth is 'maybe'", [](ServerOptions& options) { options.tls_client_auth = "maybe"; }},
      {"tls_min_version is '1.1'", [](ServerOptions& options) { options.tls_min_version = "1.1"; }},
      {"no address", [](ServerOptions& options) { options.listen.clear(); }},
      {"cannot listen", [](ServerOptions& options) { options.listen = {"nowhere"}; }},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    ServerOptions options = options_on({"127.0.0.1:0"});
    c.change(options);
    Server server(fixture.app, options);
    CHECK(server.start().find(c.name) != std::string::npos);
    CHECK(server.drained());
  }
}

TEST_CASE("Server: a directory that is gone, of a mounted application, is told at its start") {
  App inner;
  inner.files("/x", "/nonexistent");
  App app;
  app.mount("/in", std::move(inner));
  Server server(app, options_on({"127.0.0.1:0"}));
  CHECK(server.start().find("files(\"/x\"): the directory \"/nonexistent\"") != std::string::npos);
}

TEST_CASE("Server: who is no core publishes, while it runs") {
  App app;
  Server server(app, options_on({"127.0.0.1:0"}));
  CHECK(server.publish("topic", "nobody is there"));
  REQUIRE(server.start().empty());
  CHECK(server.publish("topic", "nobody listens"));
  CHECK_FALSE(server.publish("topic", std::string(17 << 20, 'x')));
}

TEST_CASE("Server: serves at the ends of its options") {
  Fixture fixture;
  ServerOptions options = options_on({"127.0.0.1:0"});
  const auto serves = [&] {
    Server server(fixture.app, options);
    REQUIRE(server.start().empty());
    const std::string get = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";
    const std::string wait = "GET /wait/1 HTTP/1.1\r\nHost: test\r\n\r\n";
    const std::string answer = ask(server.addresses()[0], get + wait + wait + get + hello);
    CHECK(count(answer, "HTTP/1.1 200") == 5);
    CHECK(count(answer, "waited") == 2);
    CHECK(answer.ends_with("hello"));
  };
  SUBCASE("one request at a time") { options.pipeline = 1; }
  SUBCASE("one coroutine at a time") {
    options.pipeline = 1;
    options.exchanges = 1;
  }
  SUBCASE("one buffer, smaller than a request") {
    options.ring_buffers = 1;
    options.ring_buffer_bytes = 64;
  }
  SUBCASE("the smallest ring") { options.ring_entries = options.ring_completions = 1; }
  SUBCASE("the longest heads") { options.header_bytes = 65'535; }
  SUBCASE("one byte of output") { options.output_bytes = 1; }
  SUBCASE("one connection") { options.connections = 1; }
  SUBCASE("more cores than processors") { options.cores = 64; }
  serves();
}

TEST_CASE("Server: with one connection, the next ones wait or are told to come again") {
  Fixture fixture;
  ServerOptions options = options_on({"127.0.0.1:0"});
  options.connections = 1;
  Server server(fixture.app, options);
  REQUIRE(server.start().empty());
  for (int i = 0; i < 20; ++i) {
    const std::string answer = ask(server.addresses()[0], hello);
    CHECK((answer.ends_with("hello") || answer.starts_with("HTTP/1.1 503")));
  }
}

TEST_CASE("Server: a drain lets requests finish, refuses new connections, and ends in time") {
  Fixture fixture;
  Server server(fixture.app, options_on({"127.0.0.1:0"}, 2));
  REQUIRE(server.start().empty());
  const std::string address = server.addresses()[0];
  SocketClient idle(address);
  SocketClient busy(address);
  busy.send("GET /wait/200 HTTP/1.1\r\nHost: test\r\n\r\n");
  REQUIRE(eventually([&] { return fixture.waiting == 1; }));
  REQUIRE(eventually([&] { return server.stats().connections_open == 2; }));
  const auto begin = Clock::now();
  server.drain(10'000);
  CHECK(idle.read_all().empty());
  const std::string answer = busy.read_all();
  CHECK(answer.ends_with("waited"));
  CHECK(answer.find("Connection: close\r\n") != std::string::npos);
  idle.close();
  busy.close();
  CHECK(eventually([&] { return server.drained(); }));
  CHECK(Clock::now() - begin < 5s);
  CHECK_FALSE(SocketClient(address).connected());
}

TEST_CASE("Server: a later drain shortens the wait of an earlier stop") {
  Fixture fixture;
  Server server(fixture.app, options_on({"127.0.0.1:0"}, 2));
  REQUIRE(server.start().empty());
  SocketClient client(server.addresses()[0]);
  client.send("GET /wait/60000 HTTP/1.1\r\nHost: test\r\n\r\n");
  REQUIRE(eventually([&] { return fixture.waiting == 1; }));
  const auto begin = Clock::now();
  std::thread stopper([&] { server.stop(60'000); });
  std::this_thread::sleep_for(50ms);
  SUBCASE("a drain") { server.drain(0); }
  SUBCASE("a second stop") { server.stop(0); }
  stopper.join();
  CHECK(Clock::now() - begin < 10s);
  CHECK(fixture.cancelled == 1);
}

TEST_CASE("Server: any thread may stop, drain and look, whatever the server does meanwhile") {
  Fixture fixture;
  Server server(fixture.app, options_on({"127.0.0.1:0"}, 2));
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    while (!over) static_cast<void>(server.stats());
  });
  threads.emplace_back([&] {
    while (!over) {
      server.drain(5);
      std::this_thread::sleep_for(1ms);
    }
  });
  threads.emplace_back([&] {
    while (!over) {
      server.stop(1);
      std::this_thread::sleep_for(3ms);
    }
  });
  for (int round = 0; round < 15; ++round) {
    CHECK(server.start().empty());
    server.stop(0);
  }
  over = true;
  for (std::thread& thread : threads) thread.join();
  CHECK(server.drained());
}

TEST_CASE("Server: a coroutine is cancelled when its client has gone") {
  Fixture fixture;
  Server server(fixture.app, options_on({"127.0.0.1:0"}));
  REQUIRE(server.start().empty());
  const std::string request = "GET /wait/60000 HTTP/1.1\r\nHost: test\r\n\r\n";
  SocketClient client(server.addresses()[0]);
  SUBCASE("closed") {
    client.send(request);
    REQUIRE(eventually([&] { return fixture.waiting == 1; }));
    client.close();
  }
  SUBCASE("reset") {
    client.send(request);
    REQUIRE(eventually([&] { return fixture.waiting == 1; }));
    client.reset();
  }
  SUBCASE("half closed, later reset") {
    client.send(request);
    REQUIRE(eventually([&] { return fixture.waiting == 1; }));
    client.half_close();
    std::this_thread::sleep_for(50ms);
    CHECK(fixture.cancelled == 0);
    client.reset();
  }
  CHECK(eventually([&] { return fixture.cancelled == 1; }));
  CHECK(eventually([&] { return server.stats().connections_open == 0; }));
  CHECK(server.stats().exchanges_cancelled == 1);
}

TEST_CASE("Server: a reset is seen also while no more is read of the client") {
  Fixture fixture;
  ServerOptions options = options_on({"127.0.0.1:0"});
  options.pipeline = 1;
  Server server(fixture.app, options);
  REQUIRE(server.start().empty());
  SocketClient client(server.addresses()[0]);
  client.send("GET /wait/60000 HTTP/1.1\r\nHost: test\r\n\r\nGET / HTTP/1.1\r\nHost: test\r\n\r\n");
  REQUIRE(eventually([&] { return fixture.waiting == 1; }));
  std::this_thread::sleep_for(20ms);
  client.reset();
  CHECK(eventually([&] { return fixture.cancelled == 1; }));
}

TEST_CASE("Server: a client that half closes gets its answer") {
  Fixture fixture;
  Server server(fixture.app, options_on({"127.0.0.1:0"}));
  REQUIRE(server.start().empty());
  SocketClient client(server.addresses()[0]);
  client.send("GET /wait/100 HTTP/1.1\r\nHost: test\r\n\r\nGET / HTTP/1.1\r\nHost: test\r\n\r\n");
  client.half_close();
  const std::string answer = client.read_all();
  CHECK(count(answer, "HTTP/1.1 200") == 2);
  CHECK(answer.find("waited") != std::string::npos);
  CHECK(answer.ends_with("hello"));
  CHECK(fixture.cancelled == 0);
}

}  // namespace
}  // namespace millrace::test
