// Goal: files leave whole, in order and only as they were promised, whatever the network does.
// Method: a core on the simulated backend, which reads a real file in memory; seeds with faults, and the
// changes of a file written out by hand.
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/net/file_part.hpp"
#include "tests/sim/one_core.hpp"

namespace millrace::test {
namespace {

constexpr std::size_t file_bytes = 300'000;

int make_file() {
  const int descriptor = memfd_create("sim", MFD_CLOEXEC);
  const std::string text = letters(file_bytes);
  REQUIRE(::pwrite(descriptor, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  return descriptor;
}

/// GET /file/<first>-<size>: that part of the file; anything else as SimHandler.
class FileHandler final : public proto::RequestHandler {
 public:
  explicit FileHandler(SimHandler& other) : other_(other), descriptor(make_file()) {
    net::FileFacts facts;
    REQUIRE(net::read_facts(descriptor, facts).ok());
    file_ = net::FileRef(descriptor, facts);
  }
  void route(proto::Exchange& exchange) noexcept override { other_.route(exchange); }
  void refuse(proto::Exchange& exchange, Error error) noexcept override { other_.refuse(exchange, error); }
  void start(proto::Exchange& exchange) noexcept override {
    const std::string path(exchange.target.path);
    if (!path.starts_with("/file/")) return other_.start(exchange);
    const std::size_t dash = path.find('-');
    const std::uint64_t first = std::stoul(path.substr(6));
    const std::uint64_t size = std::stoul(path.substr(dash + 1));
    proto::ReplyView view;
    view.source = new Source(*this, {file_, first, size});
    view.source_bytes = size;
    exchange.sink->reply(exchange, view);
  }

 private:
  struct Source final : proto::BodySource {
    Source(FileHandler& owner, net::FilePart what) : of(owner), part(std::move(what)) {
      ++of.other_.sources_live;
    }
    Result<std::size_t> read(std::span<char>) noexcept override {
      FAIL("a file is not read where it can be sent");
      return Error{Errc::unsupported};
    }
    const net::FilePart* file() const noexcept override { return &part; }
    void release() noexcept override {
      --of.other_.sources_live;
      delete this;
    }
    FileHandler& of;
    net::FilePart part;
  };

  SimHandler& other_;
  net::FileRef file_;

 public:
  const int descriptor;
};

struct FileCore {
  explicit FileCore(std::uint64_t seed = 7, io::sim::FaultPlan plan = {})
      : world(seed, plan,
              {.queue_entries = 64, .completion_entries = 256, .buffers = 8, .buffer_bytes = 2048}),
        handler(other),
        core(small_options(), world.backend(), handler),
        listener(world.listen()) {
    other.scheduler = &core.scheduler();
    core.listen(listener);
  }
  ~FileCore() {
    core.request_stop(0);
    for (int i = 0; i < 10'000 && !core.done(); ++i) core.turn(world.now() + ns_per_s);
    CHECK(core.done());
    CHECK(world.clean());
    CHECK(core.pool().bytes_used() == 0);
    CHECK(other.sources_live == 0);
  }
  template <class Done>
  void until(Done&& done) {
    for (int turns = 0; !done(); ++turns) {
      REQUIRE(turns < 100'000);
      core.turn(world.now() + ns_per_ms);
    }
  }

  io::sim::World world;
  SimHandler other;
  FileHandler handler;
  serve::Core core;
  io::Descriptor listener;
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
    one.until([&] {
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
  one.until([&] { return client.received().ends_with("/n/a"); });
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
  if (change == std::string_view("shrinks")) REQUIRE(ftruncate(one.handler.descriptor, 299'999) == 0);
  if (change == std::string_view("emptied")) REQUIRE(ftruncate(one.handler.descriptor, 0) == 0);
  if (change == std::string_view("grows")) REQUIRE(ftruncate(one.handler.descriptor, 300'001) == 0);
  if (change == std::string_view("written")) {
    const timespec times[2] = {{.tv_sec = 1, .tv_nsec = 0}, {.tv_sec = 1, .tv_nsec = 0}};
    REQUIRE(::pwrite(one.handler.descriptor, "x", 1, 299'000) == 1);
    REQUIRE(futimens(one.handler.descriptor, times) == 0);
  }
  client.set_reading(true);
  one.until([&] { return client.eof() || client.was_reset(); });
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
  REQUIRE(ftruncate(one.handler.descriptor, 299'999) == 0);
  one.until([&] { return client.eof() || client.was_reset(); });
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
    one.until([&] { return one.core.connections() == 0; });
  }
}

}  // namespace
}  // namespace millrace::test
