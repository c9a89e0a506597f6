#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <string>
#include <vector>

#include "engine/io/system.hpp"
#include "engine/io/uring/buffer_ring.hpp"
#include "engine/io/uring/ring.hpp"
#include "engine/mem/block_pool.hpp"

using namespace millrace::io;
using millrace::ns_per_ms;
using millrace::time_never;
using millrace::TimeNs;

namespace {

std::vector<std::uint64_t> reap(Ring& ring) {
  std::vector<std::uint64_t> seen;
  std::uint32_t head = ring.head();
  for (; head != ring.tail(); ++head) seen.push_back(ring.at(head).user_data);
  ring.advance(head);
  return seen;
}

void add_nop(Ring& ring, std::uint64_t user_data) {
  io_uring_sqe& sqe = ring.next_sqe();
  io_uring_prep_nop(&sqe);
  sqe.user_data = user_data;
}

}  // namespace

TEST_CASE("Ring: every batch uses the entries from the first on, whatever the kernel's position") {
  Ring ring;
  REQUIRE(ring.open(8, 16) == 0);
  std::uint64_t number = 0;
  for (int batch = 0; batch < 20; ++batch) {
    std::vector<std::uint64_t> want;
    for (std::uint32_t i = 0; i < 5; ++i) {
      CHECK(ring.queued() == i);
      add_nop(ring, ++number);
      want.push_back(number);
    }
    ring.enter(true, time_never);
    CHECK(ring.queued() == 0);
    CHECK(reap(ring) == want);
  }
  CHECK(ring.submissions() == 100);
  CHECK(ring.enters() == 20);
  CHECK(ring.stalls() == 0);
}

TEST_CASE("Ring: a full queue is submitted early, and a full completion queue loses nothing") {
  Ring ring;
  REQUIRE(ring.open(8, 8) == 0);
  for (std::uint64_t i = 0; i < 40; ++i) add_nop(ring, i);
  CHECK(ring.stalls() == 4);
  std::set<std::uint64_t> seen;
  for (int turn = 0; turn < 20; ++turn) {
    ring.enter(false, 0);
    for (const std::uint64_t user_data : reap(ring)) CHECK(seen.insert(user_data).second);
  }
  CHECK(seen.size() == 40);
  CHECK(ring.overflows() >= 1);
}

TEST_CASE("Ring: a wait ends at its deadline") {
  Ring ring;
  REQUIRE(ring.open(8, 8) == 0);
  const TimeNs begin = monotonic_now();
  ring.enter(true, begin + 5 * ns_per_ms);
  CHECK(monotonic_now() >= begin + 5 * ns_per_ms);
  CHECK(ring.tail() == ring.head());
}

TEST_CASE("BufferRing: the kernel takes the buffers in the order they came back") {
  BufferRing buffers;
  Ring ring;
  bool refused = true;
  REQUIRE(ring.open(8, 8) == 0);
  REQUIRE(buffers.open(ring.raw(), 4, 64, refused) == 0);
  CHECK_FALSE(refused);
  CHECK(buffers.size() == 4);
  CHECK(buffers.buffer_bytes() == 64);
  // All buffers and the padding behind the last one can be read.
  unsigned sum = 0;
  for (std::size_t i = 0; i < 4 * 64 + millrace::mem::padding_bytes; ++i)
    sum += static_cast<unsigned char>(buffers.at(0)[i]);
  CHECK(sum == 0);

  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const auto receive = [&](const std::string& text) {
    REQUIRE(::send(ends[1], text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
    io_uring_sqe& sqe = ring.next_sqe();
    io_uring_prep_recv(&sqe, ends[0], nullptr, 0, 0);
    sqe.flags = IOSQE_BUFFER_SELECT;
    sqe.buf_group = BufferRing::group;
    ring.enter(true, monotonic_now() + millrace::ns_per_s);
    REQUIRE(ring.tail() != ring.head());
    const io_uring_cqe cqe = ring.at(ring.head());
    ring.advance(ring.head() + 1);
    if (cqe.res < 0) return cqe.res;
    const int id = static_cast<int>(cqe.flags >> IORING_CQE_BUFFER_SHIFT);
    CHECK(std::string(buffers.at(static_cast<std::uint16_t>(id)), static_cast<std::size_t>(cqe.res)) == text);
    return id;
  };
  for (int id = 0; id < 4; ++id) CHECK(receive("hello") == id);
  CHECK(receive("x") == -ENOBUFS);  // It stays in the socket.
  const std::uint16_t back[] = {2, 0, 3};
  buffers.give_back(back);
  char left[8];
  REQUIRE(::recv(ends[0], left, sizeof left, 0) == 1);
  CHECK(receive("x") == 2);
  CHECK(receive("y") == 0);
  CHECK(receive("z") == 3);
  CHECK(receive("w") == -ENOBUFS);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("BufferRing: a second registration is refused, and the refusal is told apart") {
  BufferRing first, second;
  Ring ring;
  bool refused = false;
  REQUIRE(ring.open(8, 8) == 0);
  REQUIRE(first.open(ring.raw(), 4, 64, refused) == 0);
  CHECK(second.open(ring.raw(), 4, 64, refused) == EEXIST);
  CHECK(refused);
}
