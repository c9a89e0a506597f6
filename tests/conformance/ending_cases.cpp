// ending_cases.cpp: half closes, resets, hangups, cancellations and closing.
#include <doctest/doctest.h>

#include <cerrno>

#include "tests/conformance/harness.hpp"

namespace millrace::conformance {
namespace {

using io::Completion;
using io::IoBackend;
using io::Op;
using io::Token;

constexpr Token recv_token{Op::recv, 5, 9};
constexpr Token send_token{Op::send, 5, 9};
constexpr Token hangup_token{Op::hangup, 5, 9};

void half_close_leaves_the_other_direction(Harness& harness) {
  IoBackend& backend = harness.backend();
  const auto pair = harness.pair();
  pair.peer->write("last words");
  pair.peer->half_close();
  CHECK(harness.receive(pair, recv_token, 10) == "last words");
  CHECK(harness.next().result == 0);
  std::string text = "still here";
  const iovec part{.iov_base = text.data(), .iov_len = text.size()};
  backend.send(send_token, pair.descriptor, {&part, 1});
  CHECK(harness.next().result == 10);
  CHECK_FALSE(pair.peer->eof());
  backend.shutdown_send(pair.descriptor);
  harness.until([&] { return pair.peer->eof(); });
  CHECK(pair.peer->received() == text);
  backend.close(pair.descriptor, false);
}

void shutdown_send_leaves_receiving(Harness& harness) {
  const auto pair = harness.pair();
  harness.backend().shutdown_send(pair.descriptor);
  harness.until([&] { return pair.peer->eof(); });
  pair.peer->write("after your end");
  CHECK(harness.receive(pair, recv_token, 14) == "after your end");
  pair.peer->half_close();
  CHECK(harness.next().result == 0);
  harness.backend().close(pair.descriptor, false);
}

void reset_ends_receive_and_hangup(Harness& harness) {
  const auto pair = harness.pair();
  harness.backend().hangup(hangup_token, pair.descriptor);
  harness.backend().recv(recv_token, pair.descriptor);
  CHECK(harness.rest().empty());
  pair.peer->reset();
  bool hung_up = false, received = false;
  for (int i = 0; i < 2; ++i) {
    const Completion done = harness.next();
    CHECK_FALSE(done.more);
    CHECK_FALSE(done.has_buffer);
    if (done.token == hangup_token) CHECK(done.result >= 0);
    if (done.token == recv_token) CHECK(done.result == -ECONNRESET);
    hung_up |= done.token == hangup_token;
    received |= done.token == recv_token;
  }
  CHECK(hung_up);
  CHECK(received);
  CHECK(harness.rest().empty());
  harness.backend().close(pair.descriptor, false);
}

void hangup_does_not_mind_bytes_or_a_half_close(Harness& harness) {
  const auto pair = harness.pair();
  harness.backend().hangup(hangup_token, pair.descriptor);
  pair.peer->write("bytes");
  CHECK(harness.rest().empty());
  pair.peer->half_close();
  CHECK(harness.rest().empty());
  harness.backend().shutdown_send(pair.descriptor);
  const Completion done = harness.next();
  CHECK(done.token == hangup_token);
  CHECK(done.result >= 0);
  CHECK_FALSE(done.more);
  CHECK(harness.rest().empty());
  harness.backend().close(pair.descriptor, false);
}

void hangup_of_what_is_gone_already(Harness& harness) {
  const auto pair = harness.pair();
  pair.peer->reset();
  CHECK(harness.rest().empty());
  harness.backend().hangup(hangup_token, pair.descriptor);
  const Completion done = harness.next();
  CHECK(done.token == hangup_token);
  CHECK(done.result >= 0);
  CHECK(harness.rest().empty());
  harness.backend().close(pair.descriptor, false);
}

void hangup_cancelled(Harness& harness) {
  const auto pair = harness.pair();
  for (int round = 0; round < 3; ++round) {
    harness.backend().hangup(hangup_token, pair.descriptor);
    if (round == 1) CHECK(harness.rest().empty());
    harness.backend().cancel(hangup_token);
    if (round == 2) harness.backend().cancel(hangup_token);
    const Completion done = harness.next();
    CHECK(done.token == hangup_token);
    CHECK(done.result == -ECANCELED);
    CHECK_FALSE(done.more);
    CHECK(harness.rest().empty());
  }
  harness.backend().close(pair.descriptor, false);
}

// Whoever is first, there is one completion, and it is the last.
void hangup_and_its_cancel_race(Harness& harness) {
  for (int round = 0; round < 20; ++round) {
    const auto pair = harness.pair();
    harness.backend().hangup(hangup_token, pair.descriptor);
    if (round % 2 == 0) CHECK(harness.rest().empty());
    pair.peer->reset();
    if (round % 3 == 0) {
      Completion one[1];
      if (harness.backend().wait(one, 0) == 1) {
        CHECK(one[0].token == hangup_token);
        CHECK(harness.rest().empty());
        harness.backend().close(pair.descriptor, false);
        continue;
      }
    }
    harness.backend().cancel(hangup_token);
    const auto done = harness.rest();
    CHECK(done.size() == 1);
    CHECK(done[0].token == hangup_token);
    CHECK((done[0].result >= 0 || done[0].result == -ECANCELED));
    harness.backend().close(pair.descriptor, false);
  }
}

void sending_to_who_is_gone(Harness& harness) {
  const auto pair = harness.pair();
  pair.peer->reset();
  CHECK(harness.rest().empty());
  std::string text = "anyone?";
  const iovec parts[2] = {{.iov_base = text.data(), .iov_len = 3},
                          {.iov_base = text.data() + 3, .iov_len = 4}};
  harness.backend().send(send_token, pair.descriptor, {parts, 1});
  CHECK(harness.next().result == -ECONNRESET);
  harness.backend().send(send_token, pair.descriptor, parts);
  CHECK(harness.next().result == -EPIPE);
  harness.backend().close(pair.descriptor, false);
}

void cancelled_receive_loses_nothing(Harness& harness) {
  IoBackend& backend = harness.backend();
  const auto pair = harness.pair();
  backend.recv(recv_token, pair.descriptor);
  CHECK(harness.rest().empty());
  backend.cancel(recv_token);
  const Completion done = harness.next();
  CHECK(done.token == recv_token);
  CHECK(done.result == -ECANCELED);
  CHECK_FALSE(done.more);
  CHECK_FALSE(done.has_buffer);
  pair.peer->write("kept");
  CHECK(harness.rest().empty());
  CHECK(harness.receive(pair, recv_token, 4) == "kept");
  backend.cancel(recv_token);
  CHECK(harness.next().result == -ECANCELED);
  backend.close(pair.descriptor, false);
}

// Started and cancelled in one turn, with bytes there: it may receive first, but it ends once.
void cancel_in_the_same_turn(Harness& harness) {
  IoBackend& backend = harness.backend();
  const auto pair = harness.pair();
  pair.peer->write("x");
  CHECK(harness.rest().empty());
  backend.recv(recv_token, pair.descriptor);
  backend.cancel(recv_token);
  int ends = 0;
  for (const Completion& done : harness.rest()) {
    CHECK(done.token == recv_token);
    CHECK((done.result == 1 || done.result == -ECANCELED));
    ends += !done.more;
    harness.give_back(done);
  }
  CHECK(ends == 1);
  backend.close(pair.descriptor, false);
}

void cancelled_send(Harness& harness) {
  IoBackend& backend = harness.backend();
  const auto pair = harness.pair();
  pair.peer->set_reading(false);
  std::string text(1 << 20, 'x');
  iovec part{.iov_base = text.data(), .iov_len = text.size()};
  do {
    backend.send(send_token, pair.descriptor, {&part, 1});
  } while (!harness.rest().empty());
  backend.cancel(send_token);
  const Completion done = harness.next();
  CHECK(done.token == send_token);
  CHECK(done.result == -ECANCELED);
  CHECK_FALSE(done.more);
  backend.close(pair.descriptor, true);
}

void cancelled_accept(Harness& harness) {
  const Token token(Op::accept, 1, 1);
  const io::Descriptor listener = harness.listen();
  for (int round = 0; round < 2; ++round) {
    harness.backend().accept(token, listener);
    harness.backend().cancel(token);
    const Completion done = harness.next();
    CHECK(done.token == token);
    CHECK(done.result == -ECANCELED);
    CHECK_FALSE(done.more);
  }
  // The listener listens on: who connects now is accepted by the next operation.
  const auto peer = harness.connect(listener);
  CHECK(harness.rest().empty());
  harness.backend().accept(token, listener);
  const Completion done = harness.next();
  REQUIRE(done.result >= 0);
  harness.backend().close(done.result, false);
}

void cancel_of_nothing(Harness& harness) {
  for (const Op op : {Op::accept, Op::recv, Op::send, Op::hangup}) harness.backend().cancel({op, 1, 77});
  CHECK(harness.rest().empty());
}

void close_tells_the_end(Harness& harness) {
  const auto pair = harness.pair();
  harness.backend().close(pair.descriptor, false);
  harness.until([&] { return pair.peer->eof(); });
  CHECK_FALSE(pair.peer->was_reset());
}

void close_with_reset(Harness& harness) {
  const auto pair = harness.pair();
  harness.backend().close(pair.descriptor, true);
  harness.until([&] { return pair.peer->was_reset(); });
  CHECK_FALSE(pair.peer->eof());
}

// Also where a hangup watch was armed: nothing may keep the socket open behind close().
void close_after_cancelling_everything(Harness& harness) {
  IoBackend& backend = harness.backend();
  const auto pair = harness.pair();
  backend.recv(recv_token, pair.descriptor);
  backend.hangup(hangup_token, pair.descriptor);
  CHECK(harness.rest().empty());
  backend.cancel(recv_token);
  backend.cancel(hangup_token);
  CHECK(harness.next().result == -ECANCELED);
  CHECK(harness.next().result == -ECANCELED);
  backend.close(pair.descriptor, false);
  harness.until([&] { return pair.peer->eof(); });
}

void a_number_used_again(Harness& harness) {
  IoBackend& backend = harness.backend();
  const auto first = harness.pair();
  const io::Descriptor listener = harness.listen();
  const auto second_peer = harness.connect(listener);  // Not accepted yet.
  const Token old_token(Op::recv, 1, 4), new_token(Op::recv, 2, 4);
  backend.recv(old_token, first.descriptor);
  first.peer->write("old");
  backend.cancel(old_token);
  int ends = 0;
  for (const Completion& done : harness.rest()) {
    CHECK(done.token == old_token);
    ends += !done.more;
    harness.give_back(done);
  }
  CHECK(ends == 1);
  backend.close(first.descriptor, false);
  backend.accept({Op::accept, 1, 1}, listener);
  const io::Descriptor second = harness.next().result;
  CHECK(second == first.descriptor);
  backend.recv(new_token, second);
  backend.cancel(old_token);  // Late, and meant for another.
  second_peer->write("new");
  const Completion done = harness.next();
  CHECK(done.token == new_token);
  CHECK(harness.bytes_of(done) == "new");
  CHECK(harness.rest().empty());
  second_peer->half_close();
  CHECK(harness.next().result == 0);
  backend.close(second, false);
}

}  // namespace

const std::vector<Case> ending_cases = {
    {"half close: the other direction goes on", half_close_leaves_the_other_direction},
    {"shutdown_send: the peer reads the end, and may go on writing", shutdown_send_leaves_receiving},
    {"reset: ends recv and hangup", reset_ends_receive_and_hangup},
    {"hangup: not for bytes, nor for a half close", hangup_does_not_mind_bytes_or_a_half_close},
    {"hangup: of a connection that is gone already", hangup_of_what_is_gone_already},
    {"hangup: cancelled", hangup_cancelled},
    {"hangup: a race with its cancel", hangup_and_its_cancel_race},
    {"send: to a peer that has reset", sending_to_who_is_gone},
    {"cancel: a recv, and nothing is lost", cancelled_receive_loses_nothing},
    {"cancel: in the turn of the start", cancel_in_the_same_turn},
    {"cancel: a send that waits", cancelled_send},
    {"cancel: an accept", cancelled_accept},
    {"cancel: what is not there", cancel_of_nothing},
    {"close: the peer reads the end", close_tells_the_end},
    {"close: with a reset", close_with_reset},
    {"close: after everything was cancelled", close_after_cancelling_everything},
    {"close: the number used again, and an old generation", a_number_used_again},
};

}  // namespace millrace::conformance
