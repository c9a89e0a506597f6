// file_cases.cpp: sending parts of files.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "tests/conformance/harness.hpp"

namespace millrace::conformance {
namespace {

using io::Completion;
using io::Op;
using io::Token;

constexpr Token send_token{Op::send, 5, 9};

std::string pattern(std::size_t size_bytes) {
  std::string text(size_bytes, '\0');
  for (std::size_t i = 0; i < size_bytes; ++i) text[i] = static_cast<char>('a' + i * 7 % 23 + i / 1000 % 3);
  return text;
}

/// A file with those bytes: on a disk, where it can be out of memory, or in memory alone.
struct TestFile {
  explicit TestFile(const std::string& text, bool on_disk = false) {
    char name[] = "/var/tmp/millrace-conformance-XXXXXX";
    descriptor = on_disk ? mkstemp(name) : memfd_create("conformance", MFD_CLOEXEC);
    REQUIRE(descriptor >= 0);
    if (on_disk) ::unlink(name);
    REQUIRE(::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    slice = {.descriptor = descriptor, .offset = 0, .size_bytes = text.size(), .room = room};
  }
  ~TestFile() { ::close(descriptor); }
  int descriptor = -1;
  std::array<char, 1000> room{};
  io::FileSlice slice;
};

/// Sends until parts and slice are through; a result that is an error other than -EAGAIN ends it early.
std::int32_t send_all(Harness& harness, const Harness::Pair& pair, std::string_view head,
                      io::FileSlice& slice) {
  std::string text(head);
  iovec part{text.data(), text.size()};
  while (part.iov_len + slice.size_bytes != 0) {
    const std::span<const iovec> parts(&part, part.iov_len != 0 ? 1 : 0);
    if (slice.size_bytes != 0)
      harness.backend().send_file(send_token, pair.descriptor, parts, slice);
    else
      harness.backend().send(send_token, pair.descriptor, parts);
    std::vector<Completion> done;
    harness.until([&] {
      pair.peer->received();
      done = harness.take();
      return !done.empty();
    });
    REQUIRE(done.size() == 1);
    CHECK(done[0].token == send_token);
    CHECK_FALSE(done[0].more);
    if (done[0].result == -EAGAIN) continue;
    if (done[0].result <= 0) return done[0].result;
    auto sent = static_cast<std::size_t>(done[0].result);
    const std::size_t of_part = std::min(sent, part.iov_len);
    part = {static_cast<char*>(part.iov_base) + of_part, part.iov_len - of_part};
    sent -= of_part;
    REQUIRE(sent <= slice.size_bytes);
    slice.offset += sent;
    slice.size_bytes -= sent;
  }
  return 0;
}

void file_comes_behind_the_parts(Harness& harness) {
  const auto pair = harness.pair();
  const std::string text = pattern(3'000'000);
  TestFile file(text);
  CHECK(send_all(harness, pair, "the head:", file.slice) == 0);
  harness.until([&] { return pair.peer->received().size() == 9 + text.size(); });
  CHECK(pair.peer->received() == "the head:" + text);
  harness.backend().close(pair.descriptor, false);
}

void file_is_sent_in_part(Harness& harness) {
  const auto pair = harness.pair();
  const std::string text = pattern(100'000);
  TestFile file(text);
  file.slice.offset = 777;
  file.slice.size_bytes = 40'000;
  CHECK(send_all(harness, pair, "", file.slice) == 0);
  harness.until([&] { return pair.peer->received().size() == 40'000; });
  CHECK(pair.peer->received() == text.substr(777, 40'000));
  harness.backend().close(pair.descriptor, false);
}

void file_out_of_memory_is_sent(Harness& harness) {
  for (const std::string head : {"head", ""}) {  // To ask once, behind a head, may bring it into memory.
    const auto pair = harness.pair();
    const std::string text = pattern(2'000'000);
    TestFile file(text, true);
    REQUIRE(::fsync(file.descriptor) == 0);
    REQUIRE(::posix_fadvise(file.descriptor, 0, 0, POSIX_FADV_DONTNEED) == 0);
    CHECK(send_all(harness, pair, head, file.slice) == 0);
    harness.until([&] { return pair.peer->received().size() == head.size() + text.size(); });
    CHECK(pair.peer->received() == head + text);
    harness.backend().close(pair.descriptor, false);
  }
}

void file_that_ends_early_is_told(Harness& harness) {
  const auto pair = harness.pair();
  TestFile file(pattern(5000));
  file.slice.size_bytes = 9000;
  CHECK(send_all(harness, pair, "head", file.slice) == -ENODATA);
  CHECK(file.slice.offset == 5000);
  harness.until([&] { return pair.peer->received().size() == 5004; });
  harness.backend().close(pair.descriptor, false);
}

void file_waits_for_a_peer_that_has_ended_its_direction(Harness& harness) {
  const auto pair = harness.pair();
  const std::string text = pattern(40'000'000);
  TestFile file(text);
  pair.peer->set_reading(false);
  pair.peer->half_close();
  bool sending = true;
  const auto step = [&](std::int32_t result) {
    if (result > 0) {
      file.slice.offset += static_cast<std::uint64_t>(result);
      file.slice.size_bytes -= static_cast<std::uint64_t>(result);
    } else {
      REQUIRE(result == -EAGAIN);
    }
    harness.backend().send_file(send_token, pair.descriptor, {}, file.slice);
  };
  harness.backend().send_file(send_token, pair.descriptor, {}, file.slice);
  while (sending) {
    const std::vector<Completion> done = harness.rest();
    sending = !done.empty();
    if (!sending) break;
    REQUIRE(done.size() == 1);
    REQUIRE(file.slice.offset < text.size());
    step(done[0].result);
  }
  // It waits, and without a completion after the other: nobody turns meanwhile.
  const std::uint64_t waits = harness.backend().stats().waits;
  CHECK(harness.rest().empty());
  CHECK(harness.backend().stats().waits - waits <= 10);
  pair.peer->set_reading(true);
  harness.until([&] {
    for (const Completion& done : harness.take()) {
      if (done.result > 0 && static_cast<std::uint64_t>(done.result) == file.slice.size_bytes)
        file.slice.size_bytes = 0;
      else
        step(done.result);
    }
    return pair.peer->received().size() == text.size() && file.slice.size_bytes == 0;
  });
  CHECK(pair.peer->received() == text);
  harness.backend().close(pair.descriptor, false);
}

void file_waits_behind_parts_without_room(Harness& harness) {
  const auto pair = harness.pair();
  const std::string head = pattern(20'000'000);
  const std::string text = pattern(1'000'000);
  TestFile file(text);
  pair.peer->set_reading(false);
  std::size_t sent = 0;
  iovec part{};
  const auto go_on = [&] {
    part = {const_cast<char*>(head.data()) + sent, head.size() - sent};
    harness.backend().send_file(send_token, pair.descriptor, {&part, 1}, file.slice);
  };
  go_on();
  for (std::vector<Completion> done = harness.rest(); !done.empty(); done = harness.rest()) {
    REQUIRE(done.size() == 1);
    REQUIRE(done[0].result > 0);
    sent += static_cast<std::size_t>(done[0].result);
    REQUIRE(sent < head.size());  // Nobody reads.
    go_on();
  }
  pair.peer->set_reading(true);
  std::vector<Completion> done;
  harness.until([&] {
    pair.peer->received();
    done = harness.take();
    return !done.empty();
  });
  REQUIRE(done[0].result > 0);
  sent += static_cast<std::size_t>(done[0].result);
  REQUIRE(sent <= head.size());
  CHECK(send_all(harness, pair, std::string_view(head).substr(sent), file.slice) == 0);
  harness.until([&] { return pair.peer->received().size() == head.size() + text.size(); });
  CHECK(pair.peer->received() == head + text);
  harness.backend().close(pair.descriptor, false);
}

// The kernel has a few without pages of their own, which sendfile(2) refuses.
void file_that_cannot_be_spliced_is_sent(Harness& harness) {
  const auto pair = harness.pair();
  TestFile file("");
  ::close(file.descriptor);
  file.descriptor = ::open("/proc/self/auxv", O_RDONLY | O_CLOEXEC);
  REQUIRE(file.descriptor >= 0);
  std::string text(4096, '\0');
  const ssize_t size = ::pread(file.descriptor, text.data(), text.size(), 0);
  REQUIRE(size > 0);
  text.resize(static_cast<std::size_t>(size));
  file.slice.descriptor = file.descriptor;
  file.slice.size_bytes = text.size() + 1;  // And ends early.
  CHECK(send_all(harness, pair, "head", file.slice) == -ENODATA);
  harness.until([&] { return pair.peer->received().size() == 4 + text.size(); });
  CHECK(pair.peer->received() == "head" + text);
  harness.backend().close(pair.descriptor, false);
}

void file_that_is_cancelled_ends(Harness& harness) {
  const auto pair = harness.pair();
  TestFile file(pattern(40'000'000));
  pair.peer->set_reading(false);
  for (bool sending = true; sending;) {
    harness.backend().send_file(send_token, pair.descriptor, {}, file.slice);
    const std::vector<Completion> done = harness.rest();
    sending = !done.empty();
    if (!sending) continue;
    REQUIRE(done[0].result != 0);
    if (done[0].result > 0) file.slice.offset += static_cast<std::uint64_t>(done[0].result);
    if (done[0].result > 0) file.slice.size_bytes -= static_cast<std::uint64_t>(done[0].result);
  }
  harness.backend().cancel(send_token);
  CHECK(harness.next().result == -ECANCELED);
  harness.backend().cancel(send_token);  // Nothing is under way.
  CHECK(harness.rest().empty());
  harness.backend().close(pair.descriptor, true);
}

void file_to_a_peer_that_has_reset_fails(Harness& harness) {
  const auto pair = harness.pair();
  TestFile file(pattern(100'000));
  pair.peer->reset();
  CHECK(harness.rest().empty());
  const std::int32_t result = send_all(harness, pair, "", file.slice);
  CHECK((result == -EPIPE || result == -ECONNRESET));
  harness.backend().close(pair.descriptor, false);
}

}  // namespace

const std::vector<Case> file_cases = {
    {"file behind the parts", file_comes_behind_the_parts},
    {"file in part", file_is_sent_in_part},
    {"file out of memory", file_out_of_memory_is_sent},
    {"file that ends early", file_that_ends_early_is_told},
    {"file to a peer that has ended its direction", file_waits_for_a_peer_that_has_ended_its_direction},
    {"file behind parts without room", file_waits_behind_parts_without_room},
    {"file that cannot be spliced", file_that_cannot_be_spliced_is_sent},
    {"file that is cancelled", file_that_is_cancelled_ends},
    {"file to a peer that has reset", file_to_a_peer_that_has_reset_fails},
};

}  // namespace millrace::conformance
