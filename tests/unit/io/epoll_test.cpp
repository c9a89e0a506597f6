// Goal: what epoll alone can get wrong: an edge that is told once, registrations that outlive a
// descriptor, buffers and turns that many sockets share. The contract itself is tests/conformance.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/io/epoll/epoll_backend.hpp"
#include "engine/io/epoll/number_table.hpp"
#include "engine/mem/allocate.hpp"

using namespace millrace;
using namespace millrace::io;

namespace {

/// Two connected sockets; `ours` is the backend's to close.
struct Ends {
  int ours = -1;
  int peer = -1;

  explicit Ends(int family) {
    int both[2];
    if (family == AF_UNIX) {
      REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) == 0);
      ours = both[0], peer = both[1];
      return;
    }
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size_bytes = sizeof address;
    REQUIRE(bind(listener, generic, size_bytes) == 0);
    REQUIRE(listen(listener, 1) == 0);
    REQUIRE(getsockname(listener, generic, &size_bytes) == 0);
    peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(connect(peer, generic, size_bytes) == 0);
    ours = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    REQUIRE(ours >= 0);
    ::close(listener);
  }
  Ends(Ends&& other) noexcept : ours(other.ours), peer(std::exchange(other.peer, -1)) {}
  ~Ends() {
    if (peer >= 0) ::close(peer);
  }

  void write(std::string_view bytes, int flags = 0) const {
    REQUIRE(::send(peer, bytes.data(), bytes.size(), flags | MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
};

constexpr Token recv_of(std::uint32_t slot) { return {Op::recv, 1, slot}; }
constexpr Token send_of(std::uint32_t slot) { return {Op::send, 1, slot}; }

struct Scene {
  std::unique_ptr<IoBackend> backend;
  Completion out[64];

  explicit Scene(std::uint32_t buffers = 8, std::uint32_t buffer_bytes = 64) {
    auto made = make_epoll({.buffers = buffers, .buffer_bytes = buffer_bytes});
    REQUIRE(made.ok());
    backend = std::move(made).value();
  }
  std::span<const Completion> wait(TimeNs span = 50 * ns_per_ms) {
    return {out, backend->wait(out, backend->now() + span)};
  }
  std::string bytes_of(const Completion& done) const {
    if (!done.has_buffer) return {};
    std::string bytes(backend->buffer(done.buffer_id), static_cast<std::size_t>(done.result));
    backend->give_back({&done.buffer_id, 1});
    return bytes;
  }
  /// Everything that is received until nothing comes.
  std::string drain() {
    std::string got;
    for (auto done = wait(); !done.empty(); done = wait()) {
      for (const Completion& each : done) got += bytes_of(each);
    }
    return got;
  }
  /// Cancels the receive and closes.
  void close(const Ends& ends, std::uint32_t slot) {
    backend->cancel(recv_of(slot));
    const auto done = wait();
    REQUIRE(done.size() == 1);
    CHECK(done[0].result == -ECANCELED);
    backend->close(ends.ours, false);
  }
};

TEST_CASE("epoll: what lies behind urgent data is read, though no further edge comes") {
  Scene scene;
  const Ends ends(AF_INET);
  ends.write("before");
  ends.write("!", MSG_OOB);
  ends.write("behind");
  scene.backend->recv(recv_of(0), ends.ours);
  CHECK(scene.drain() == "beforebehind");
  scene.close(ends, 0);
}

TEST_CASE("epoll: an end that comes with the last bytes is told, though a read was short") {
  for (const int family : {AF_INET, AF_UNIX}) {
    Scene scene;
    const Ends ends(family);
    ends.write("last");
    ::shutdown(ends.peer, SHUT_WR);
    scene.backend->recv(recv_of(0), ends.ours);
    std::string got;
    bool ended = false;
    while (!ended) {
      const auto done = scene.wait(5 * ns_per_s);
      REQUIRE(!done.empty());
      for (const Completion& each : done) {
        got += scene.bytes_of(each);
        ended |= each.result == 0 && !each.more;
      }
    }
    CHECK(got == "last");
    scene.backend->close(ends.ours, false);
  }
}

TEST_CASE("epoll: a closed socket that a child process holds does not speak for its number's next owner") {
  Scene scene;
  Ends old(AF_INET);
  scene.backend->recv(recv_of(0), old.ours);
  CHECK(scene.wait(0).empty());
  const int held = dup(old.ours);  // As a child has it between fork and exec.
  scene.close(old, 0);
  const Ends next(AF_UNIX);
  REQUIRE(next.ours == old.ours);
  scene.backend->recv(recv_of(0), next.ours);
  CHECK(scene.wait(0).empty());
  const std::uint64_t waits = scene.backend->stats().waits;
  old.write("for somebody who has left");
  CHECK(scene.wait().empty());
  scene.backend->hangup({Op::hangup, 1, 0}, next.ours);
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(old.peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(std::exchange(old.peer, -1));
  CHECK(scene.wait().empty());
  CHECK(scene.backend->stats().waits <= waits + 6);  // It does not spin on it either.
  next.write("mine");
  CHECK(scene.drain() == "mine");
  ::close(held);
  scene.backend->cancel({Op::hangup, 1, 0});
  CHECK(scene.wait().size() == 1);
  scene.close(next, 0);
}

TEST_CASE("epoll: a socket with much to read leaves its turn to the others") {
  Scene scene(64, 64);
  const Ends greedy(AF_INET), modest(AF_INET);
  greedy.write(std::string(60 * 64, 'x'));
  modest.write("y");
  scene.backend->recv(recv_of(0), greedy.ours);
  scene.backend->recv(recv_of(1), modest.ours);
  const auto done = scene.wait();
  const auto found =
      std::find_if(done.begin(), done.end(), [](const Completion& each) { return each.token == recv_of(1); });
  REQUIRE(found != done.end());
  CHECK(found - done.begin() <= 1);
  CHECK(done.size() < 60);
  for (const Completion& each : done) scene.bytes_of(each);
  scene.drain();
  scene.close(greedy, 0);
  scene.close(modest, 1);
}

TEST_CASE("epoll: more sockets than buffers take turns; -ENOBUFS is for a core that holds them all") {
  Scene scene(2);
  std::vector<Ends> many;
  std::vector<std::string> got(10);
  for (std::uint32_t slot = 0; slot < got.size(); ++slot) {
    many.emplace_back(AF_UNIX);
    many.back().write("hello");
    scene.backend->recv(recv_of(slot), many.back().ours);
  }
  for (auto done = scene.wait(); !done.empty(); done = scene.wait()) {
    CHECK(done.size() <= 2);
    for (const Completion& each : done) {
      CHECK(each.result == 5);
      got[each.token.slot()] += scene.bytes_of(each);
    }
  }
  for (const std::string& each : got) CHECK(each == "hello");
  for (std::uint32_t slot = 0; slot < got.size(); ++slot) scene.close(many[slot], slot);
}

TEST_CASE("epoll: who sends all the time does not keep the others from being read") {
  Scene scene;
  const Ends talker(AF_UNIX), other(AF_UNIX);
  std::string text = "x";
  const iovec part{.iov_base = text.data(), .iov_len = 1};
  scene.backend->recv(recv_of(1), other.ours);
  scene.backend->send(send_of(0), talker.ours, {&part, 1});
  bool read = false;
  for (int turn = 0; turn < 4 && !read; ++turn) {
    if (turn == 1) other.write("y");
    for (const Completion& each : scene.wait()) {
      if (each.token == send_of(0)) scene.backend->send(send_of(0), talker.ours, {&part, 1});
      read |= each.has_buffer;
      scene.bytes_of(each);
    }
  }
  CHECK(read);
  CHECK(scene.wait().size() == 1);
  scene.close(other, 1);
  scene.backend->close(talker.ours, false);
}

TEST_CASE("epoll: a send that was held back goes on when the peer reads, also on a unix socket") {
  for (const int family : {AF_INET, AF_UNIX}) {
    Scene scene;
    const Ends ends(family);
    std::string text(4 << 20, 'z');
    std::size_t sent_bytes = 0, read_bytes = 0;
    std::string room(1 << 20, '\0');
    while (sent_bytes < text.size()) {
      const iovec part{.iov_base = text.data() + sent_bytes, .iov_len = text.size() - sent_bytes};
      scene.backend->send(send_of(0), ends.ours, {&part, 1});
      auto done = scene.wait(0);
      if (done.empty()) {
        const std::uint64_t waits = scene.backend->stats().waits;
        CHECK(scene.wait().empty());
        CHECK(scene.backend->stats().waits <= waits + 3);  // It sleeps until the peer reads.
      }
      while (done.empty()) {
        read_bytes += static_cast<std::size_t>(::recv(ends.peer, room.data(), room.size(), 0));
        done = scene.wait();
      }
      REQUIRE(done.size() == 1);
      REQUIRE(done[0].result > 0);
      sent_bytes += static_cast<std::size_t>(done[0].result);
    }
    CHECK(sent_bytes == text.size());
    while (read_bytes < text.size())
      read_bytes += static_cast<std::size_t>(::recv(ends.peer, room.data(), room.size(), 0));
    scene.backend->close(ends.ours, false);
  }
}

TEST_CASE("epoll: operations on what is no socket end with the kernel's error") {
  Scene scene;
  const int nothing = 900;  // Not open.
  std::string text = "x";
  const iovec part{.iov_base = text.data(), .iov_len = 1};
  scene.backend->recv(recv_of(0), nothing);
  scene.backend->send(send_of(0), nothing, {&part, 1});
  scene.backend->hangup({Op::hangup, 1, 0}, nothing);
  const auto done = scene.wait();
  REQUIRE(done.size() == 3);
  for (const Completion& each : done) {
    CHECK(each.result == -EBADF);
    CHECK_FALSE(each.more);
  }
  CHECK(scene.wait(0).empty());
}

TEST_CASE("epoll: a steady state allocates nothing") {
  Scene scene;
  std::uint64_t before = 0;
  for (int round = 0; round < 200; ++round) {
    if (round == 10) before = mem::allocations();
    const Ends ends(AF_INET);
    scene.backend->recv(recv_of(3), ends.ours);
    ends.write("ask");
    auto done = scene.wait(5 * ns_per_s);
    REQUIRE(done.size() == 1);
    std::string got = scene.bytes_of(done[0]);
    const iovec part{.iov_base = got.data(), .iov_len = got.size()};
    scene.backend->send(send_of(3), ends.ours, {&part, 1});
    REQUIRE(scene.wait().size() == 1);
    scene.close(ends, 3);
  }
  CHECK(mem::allocations() == before);
}

TEST_CASE("NumberTable: finds what was made, wherever the number lies, and nothing else") {
  NumberTable<int> table;
  CHECK(table.find(0) == nullptr);
  constexpr std::uint32_t chunk = NumberTable<int>::chunk_items;
  const std::uint32_t numbers[] = {0, 7, chunk - 1, chunk, 5 * chunk, 5 * chunk + 3, 4000 * chunk};
  std::vector<int*> places;
  for (const std::uint32_t number : numbers) {
    int* place = table.make(number);
    REQUIRE(place != nullptr);
    CHECK(*place == 0);
    *place = static_cast<int>(number) + 1;
    places.push_back(place);
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    CHECK(table.find(numbers[i]) == places[i]);  // Nothing moves when the table grows.
    CHECK(*places[i] == static_cast<int>(numbers[i]) + 1);
  }
  CHECK(table.find(2 * chunk) == nullptr);
  CHECK(table.find(4000 * chunk + chunk) == nullptr);
  CHECK(table.find(~0u) == nullptr);
}

}  // namespace
