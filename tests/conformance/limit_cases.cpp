// limit_cases.cpp: time, waking, full queues, exhausted descriptors and many connections.
#include <doctest/doctest.h>

#include <array>
#include <cerrno>

#include "tests/conformance/harness.hpp"

namespace millrace::conformance {
namespace {

using io::Completion;
using io::IoBackend;
using io::Op;
using io::Token;

void wait_ends_at_its_deadline(Harness& harness) {
  IoBackend& backend = harness.backend();
  Completion done[4];
  for (const TimeNs span : {ns_per_ms, 20 * ns_per_ms}) {
    const TimeNs begin = backend.now();
    CHECK(backend.wait(done, begin + span) == 0);
    const TimeNs end = backend.now();
    CHECK(end >= begin + span);
    CHECK(end < begin + span + 2 * ns_per_s);  // A busy machine is late; a wrong unit is later.
  }
}

void a_deadline_that_is_past_polls(Harness& harness) {
  IoBackend& backend = harness.backend();
  Completion done[4];
  CHECK(backend.wait(done, 0) == 0);
  const TimeNs now = backend.now();
  CHECK(backend.wait(done, now) == 0);
  CHECK(backend.wait(done, now - ns_per_ms) == 0);
  backend.wake();
  CHECK(backend.wait(done, 0) == 1);
}

void completions_beat_the_deadline(Harness& harness) {
  IoBackend& backend = harness.backend();
  const auto pair = harness.pair();
  pair.peer->write("x");
  backend.recv({Op::recv, 1, 1}, pair.descriptor);
  Completion done[4];
  const TimeNs begin = backend.now();
  REQUIRE(backend.wait(done, begin + 60 * ns_per_s) == 1);
  CHECK(backend.now() < begin + 30 * ns_per_s);
  harness.give_back(done[0]);
  pair.peer->half_close();
  CHECK(harness.next().result == 0);
  backend.close(pair.descriptor, false);
}

void wake_from_another_thread(Harness& harness) {
  for (int round = 0; round < 3; ++round) {
    harness.from_another_thread([](IoBackend& backend) { backend.wake(); });
    Completion done[4];
    REQUIRE(harness.backend().wait(done, time_never) == 1);
    CHECK(done[0].token == Token(Op::wake, 0, 0));
    CHECK(harness.rest().empty());
  }
}

void wakes_before_the_wait_are_one(Harness& harness) {
  for (int i = 0; i < 5; ++i) harness.backend().wake();
  CHECK(harness.next().token.op() == Op::wake);
  CHECK(harness.rest().empty());
  harness.backend().wake();
  CHECK(harness.next().token.op() == Op::wake);
}

void no_descriptor_is_free(Harness& harness) {
  const Token token(Op::accept, 1, 1);
  const io::Descriptor listener = harness.listen();
  const auto peer = harness.connect(listener);
  harness.exhaust_descriptors(true);
  for (int round = 0; round < 3; ++round) {
    harness.backend().accept(token, listener);
    const Completion done = harness.next();
    CHECK(done.token == token);
    CHECK(done.result == -EMFILE);
    CHECK_FALSE(done.more);
    CHECK(harness.rest().empty());
  }
  harness.exhaust_descriptors(false);
  harness.backend().accept(token, listener);
  const Completion done = harness.next();
  REQUIRE(done.result >= 0);
  harness.backend().close(done.result, false);
}

struct Sends {
  std::string text = "0123456789";
  std::vector<Harness::Pair> pairs;
  std::vector<iovec> parts;

  Sends(Harness& harness, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      pairs.push_back(harness.pair());
      parts.push_back({.iov_base = text.data(), .iov_len = 1 + i % text.size()});
    }
  }
  void start(IoBackend& backend) {
    for (std::uint32_t i = 0; i < pairs.size(); ++i)
      backend.send({Op::send, 1, i}, pairs[i].descriptor, {&parts[i], 1});
  }
  // Each ends exactly once, with its own count.
  void collect(Harness& harness) {
    std::vector<bool> ended(pairs.size());
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const Completion done = harness.next();
      REQUIRE(done.token.slot() < pairs.size());
      CHECK_FALSE(ended[done.token.slot()]);
      ended[done.token.slot()] = true;
      CHECK(done.result == static_cast<int>(parts[done.token.slot()].iov_len));
    }
  }
  void close(IoBackend& backend) {
    for (const auto& pair : pairs) backend.close(pair.descriptor, false);
  }
};

void the_submission_queue_is_full(Harness& harness) {
  Sends sends(harness, 70);
  const auto stalls = harness.backend().stats().submission_stalls;
  const auto submissions = harness.backend().stats().submissions;
  sends.start(harness.backend());
  sends.collect(harness);
  if (harness.has_queues()) CHECK(harness.backend().stats().submission_stalls > stalls);
  CHECK(harness.backend().stats().submissions >= submissions + 70);
  sends.close(harness.backend());
}

void the_completion_queue_runs_over(Harness& harness) {
  Sends sends(harness, 70);
  const auto overflows = harness.backend().stats().queue_overflows;
  for (int round = 0; round < 3; ++round) {
    sends.start(harness.backend());
    sends.collect(harness);
  }
  if (harness.has_queues()) CHECK(harness.backend().stats().queue_overflows > overflows);
  sends.close(harness.backend());
}

void one_completion_at_a_time(Harness& harness) {
  Sends sends(harness, 10);
  sends.start(harness.backend());
  std::size_t seen = 0;
  Completion one[1];
  while (harness.backend().wait(one, harness.backend().now() + 30 * ns_per_ms) == 1) ++seen;
  CHECK(seen == 10);
  sends.close(harness.backend());
}

void a_thousand_connections(Harness& harness) {
  constexpr std::size_t count = 1000;
  IoBackend& backend = harness.backend();
  const io::Descriptor listener = harness.listen();
  const Token accept_token(Op::accept, 1, 0);
  std::vector<std::unique_ptr<Peer>> peers;
  std::vector<io::Descriptor> descriptors;
  std::vector<std::string> echo(count);
  std::vector<iovec> parts(count);
  for (std::size_t i = 0; i < count; ++i) peers.push_back(harness.connect(listener));
  backend.accept(accept_token, listener);
  std::size_t echoed = 0, ended = 0;
  std::vector<std::uint16_t> used;
  const auto on = [&](const Completion& done) {
    const std::uint32_t slot = done.token.slot();
    if (done.token.op() == Op::accept) {
      if (done.result >= 0) {
        backend.recv({Op::recv, 1, static_cast<std::uint32_t>(descriptors.size())}, done.result);
        descriptors.push_back(done.result);
      }
      if (!done.more && descriptors.size() < count) backend.accept(accept_token, listener);
      return;
    }
    if (done.token.op() == Op::send) {
      echoed += static_cast<std::size_t>(done.result) == echo[slot].size();
      return;
    }
    if (done.result > 0) {
      echo[slot].append(backend.buffer(done.buffer_id), static_cast<std::size_t>(done.result));
      used.push_back(done.buffer_id);
      if (echo[slot].size() == 4) {
        parts[slot] = {.iov_base = echo[slot].data(), .iov_len = 4};
        backend.send({Op::send, 1, slot}, descriptors[slot], {&parts[slot], 1});
      }
    }
    ended += done.result == 0;
    if (!done.more && done.result != 0) backend.recv(done.token, descriptors[slot]);
  };
  const auto step = [&] {
    for (const Completion& done : harness.take()) on(done);
    backend.give_back(used);
    used.clear();
  };
  harness.until([&] { return step(), descriptors.size() == count; });
  for (std::size_t i = 0; i < count; ++i) peers[i]->write(std::to_string(1000 + i));
  harness.until([&] { return step(), echoed == count; });
  for (std::size_t i = 0; i < count; ++i) {
    harness.until([&] { return step(), !peers[i]->received().empty(); });
    CHECK(peers[i]->received() == std::to_string(1000 + i));
    peers[i]->half_close();
  }
  harness.until([&] { return step(), ended == count; });
  for (const io::Descriptor descriptor : descriptors) backend.close(descriptor, false);
}

constexpr io::BackendOptions tiny{
    .queue_entries = 16, .completion_entries = 16, .buffers = 4, .buffer_bytes = 64};

}  // namespace

const std::vector<Case> limit_cases = {
    {"wait: ends at its deadline", wait_ends_at_its_deadline},
    {"wait: a deadline that is past", a_deadline_that_is_past_polls},
    {"wait: completions beat the deadline", completions_beat_the_deadline},
    {"wait: room for one completion at a time", one_completion_at_a_time},
    {"wake: from another thread", wake_from_another_thread},
    {"wake: several before the wait are one", wakes_before_the_wait_are_one},
    {"accept: EMFILE, and armed again", no_descriptor_is_free},
    {"submissions: the queue is full", the_submission_queue_is_full, tiny},
    {"completions: the queue runs over", the_completion_queue_runs_over, tiny},
    {"a thousand connections", a_thousand_connections},
};

}  // namespace millrace::conformance
