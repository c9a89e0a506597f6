// Goal: files leave whole, in order and only as they were promised, whatever the network does.
// Method: a core on the simulated backend, which reads a real file in memory; seeds with faults, and the
// changes of a file written out by hand.
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/sim/one_core.hpp"

namespace millrace::test {
namespace {

struct FileCore : OneCore {
  explicit FileCore(std::uint64_t seed = 7, io::sim::FaultPlan plan = {})
      : OneCore(small_options(), plan, seed) {}
  ~FileCore() { CHECK(files.reads == 0); }  // A file is not read where it can be sent.
};

/// The bodies of the responses, in order, each with its declared length; the last may be cut.
std::vector<std::string> bodies_of(std::string_view received) {
  std::vector<std::string> bodies;
  while (!received.empty()) {
    const std::size_t end = received.find("\r\n\r\n");
    REQUIRE(end != received.npos);
    const std::string_view head = received.substr(0, end);
    const std::size_t at = head.find("Content-Length: ");
    REQUIRE(at != head.npos);
    const std::size_t size = std::stoul(std::string(head.substr(at + 16)));
    received.remove_prefix(end + 4);
    bodies.emplace_back(received.substr(0, size));
    received.remove_prefix(std::min(size, received.size()));
  }
  return bodies;
}

TEST_CASE("files: whole and in order among other replies, by any network") {
  const std::string all = letters(file_bytes);
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    io::sim::FaultPlan plan;
    plan.short_send = seed % 3 == 0 ? 300 : 0;
    plan.late_completion = seed % 2 == 0 ? 300 : 0;
    FileCore one(seed, plan);
    Client client = one.world.connect(one.listener);
    client.write(get("/n/a") + get("/file/0-300000") + get("/later/3/b") + get("/file/1000-70000") +
                 get("/file/299999-1") + get("/n/c") + get("/source/5000") + get("/file/5-2000"));
    const std::size_t wanted = 300'000 + 70'000 + 1 + 5000 + 2000;
    one.run_until([&] {
      return client.received().size() > wanted && client.received().ends_with(all.substr(1990, 15));
    });
    one.core.turn(one.world.now() + ns_per_ms);
    const std::vector<std::string> bodies = bodies_of(client.received());
    REQUIRE(bodies.size() == 8);
    CHECK(bodies[0] == "/n/a");
    CHECK(bodies[1] == all);
    CHECK(bodies[2] == "/later/3/b");
    CHECK(bodies[3] == all.substr(1000, 70'000));
    CHECK(bodies[4] == all.substr(299'999));
    CHECK(bodies[5] == "/n/c");
    CHECK(bodies[6] == letters(5000));
    CHECK(bodies[7] == all.substr(5, 2000));
  }
}

TEST_CASE("files: HEAD sends none") {
  FileCore one;
  Client client = one.world.connect(one.listener);
  client.write("HEAD /file/0-300000 HTTP/1.1\r\nHost: sim\r\n\r\n" + get("/n/a"));
  one.run_until([&] { return client.received().ends_with("/n/a"); });
  CHECK(client.received().size() < 1000);
}

TEST_CASE("files: a file that changes while it is sent ends the connection; what was before it is whole") {
  const char* change = nullptr;
  SUBCASE("it shrinks") { change = "shrinks"; }
  SUBCASE("it is emptied") { change = "emptied"; }
  SUBCASE("it grows") { change = "grows"; }
  SUBCASE("it is written to") { change = "written"; }
  CAPTURE(change);
  FileCore one;
  Client client = one.world.connect(one.listener);
  client.set_reading(false);
  client.write(get("/n/a") + get("/file/0-300000") + get("/n/b"));
  for (int i = 0; i < 100; ++i) one.core.turn(one.world.now() + ns_per_ms);
  if (change == std::string_view("shrinks")) REQUIRE(ftruncate(one.files.descriptor(), 299'999) == 0);
  if (change == std::string_view("emptied")) REQUIRE(ftruncate(one.files.descriptor(), 0) == 0);
  if (change == std::string_view("grows")) REQUIRE(ftruncate(one.files.descriptor(), 300'001) == 0);
  if (change == std::string_view("written")) {
    const timespec times[2] = {{.tv_sec = 1, .tv_nsec = 0}, {.tv_sec = 1, .tv_nsec = 0}};
    REQUIRE(::pwrite(one.files.descriptor(), "x", 1, 299'000) == 1);
    REQUIRE(futimens(one.files.descriptor(), times) == 0);
  }
  client.set_reading(true);
  one.run_until([&] { return client.eof() || client.was_reset(); });
  const std::vector<std::string> bodies = bodies_of(client.received());
  REQUIRE(bodies.size() <= 2);
  if (bodies.size() == 2) CHECK(letters(file_bytes).starts_with(bodies[1]));
  CHECK(client.received().size() < file_bytes);
  CHECK(one.core.connections() == 0);
}

TEST_CASE("files: what stands before a file that has changed leaves whole") {
  FileCore one;
  Client client = one.world.connect(one.listener);
  client.write(get("/later/1000/b") + get("/file/0-300000"));
  for (int i = 0; i < 100; ++i) one.core.turn(one.world.now() + ns_per_ms);
  CHECK(client.received().empty());  // The file waits for its turn.
  REQUIRE(ftruncate(one.files.descriptor(), 299'999) == 0);
  one.run_until([&] { return client.eof() || client.was_reset(); });
  const std::vector<std::string> bodies = bodies_of(client.received());
  REQUIRE(bodies.size() == 2);
  CHECK(bodies[0] == "/later/1000/b");
  CHECK(bodies[1].empty());
  CHECK(one.core.connections() == 0);
}

TEST_CASE("files: a client that leaves in the middle gives everything back") {
  for (const bool reset : {true, false}) {
    FileCore one;
    Client client = one.world.connect(one.listener);
    client.set_reading(false);
    client.write(get("/file/0-300000") + get("/file/0-300000"));
    for (int i = 0; i < 50; ++i) one.core.turn(one.world.now() + ns_per_ms);
    CHECK(one.core.connections() == 1);
    reset ? client.reset() : client.close();
    one.run_until([&] { return one.core.connections() == 0; });
  }
}

}  // namespace
}  // namespace millrace::test
