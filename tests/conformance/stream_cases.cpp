// stream_cases.cpp: accepting, receiving and sending.
#include <doctest/doctest.h>
#include <netinet/in.h>

#include <array>
#include <cerrno>

#include "engine/mem/block_pool.hpp"
#include "tests/conformance/harness.hpp"

namespace millrace::conformance {
namespace {

using io::Completion;
using io::IoBackend;
using io::Op;
using io::Token;

constexpr Token recv_token{Op::recv, 5, 9};
constexpr Token send_token{Op::send, 5, 9};

std::string pattern(std::size_t size_bytes) {
  std::string text(size_bytes, '\0');
  for (std::size_t i = 0; i < size_bytes; ++i) text[i] = static_cast<char>('a' + i * 7 % 23 + i / 1000 % 3);
  return text;
}

void accept_goes_on(Harness& harness) {
  const Token token(Op::accept, 3, 1);
  const io::Descriptor listener = harness.listen();
  harness.backend().accept(token, listener);
  CHECK(harness.rest().empty());
  std::vector<std::unique_ptr<Peer>> peers;
  std::vector<io::Descriptor> accepted;
  for (int i = 0; i < 3; ++i) {
    peers.push_back(harness.connect(listener));
    const Completion done = harness.next();
    CHECK(done.token == token);
    CHECK(done.result >= 0);
    CHECK(done.more);
    CHECK_FALSE(done.has_buffer);
    for (const io::Descriptor other : accepted) CHECK(other != done.result);
    accepted.push_back(done.result);
  }
  harness.backend().cancel(token);
  CHECK(harness.next().result == -ECANCELED);
  for (const io::Descriptor descriptor : accepted) harness.backend().close(descriptor, false);
}

void accept_finds_what_waits(Harness& harness) {
  const io::Descriptor listener = harness.listen();
  const auto first = harness.connect(listener);
  const auto second = harness.connect(listener);
  harness.backend().accept({Op::accept, 1, 1}, listener);
  for (int i = 0; i < 2; ++i) {
    const Completion done = harness.next();
    REQUIRE(done.result >= 0);
    harness.backend().close(done.result, false);
  }
}

void peer_address_is_told(Harness& harness) {
  const auto pair = harness.pair();
  sockaddr_storage address{};
  CHECK(harness.backend().peer_address(pair.descriptor, address));
  CHECK(address.ss_family == AF_INET);
  const auto& internet = reinterpret_cast<const sockaddr_in&>(address);
  CHECK(internet.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
  CHECK(internet.sin_port != 0);
  harness.backend().close(pair.descriptor, false);
  CHECK_FALSE(harness.backend().peer_address(pair.descriptor, address));
}

void receive_goes_on(Harness& harness) {
  IoBackend& backend = harness.backend();
  const auto pair = harness.pair();
  backend.recv(recv_token, pair.descriptor);
  for (const char* text : {"first", "second", "third"}) {
    pair.peer->write(text);
    const Completion done = harness.next();
    CHECK(done.token == recv_token);
    CHECK(done.more);
    // Vector code may load past the end of the bytes.
    const char* bytes = backend.buffer(done.buffer_id);
    unsigned sum = 0;
    for (std::size_t i = 0; i < backend.buffer_bytes() + mem::padding_bytes; ++i)
      sum += static_cast<unsigned char>(bytes[i]);
    CHECK(sum != 0);
    CHECK(harness.bytes_of(done) == text);
  }
  pair.peer->half_close();
  const Completion end = harness.next();
  CHECK(end.result == 0);
  CHECK_FALSE(end.more);
  CHECK_FALSE(end.has_buffer);
  backend.close(pair.descriptor, false);
}

void receive_takes_many_buffers(Harness& harness) {
  const auto pair = harness.pair();
  const std::string text = pattern(40'000);  // Five times what all buffers hold.
  pair.peer->write(text);
  CHECK(harness.receive(pair, recv_token, text.size()) == text);
  pair.peer->half_close();
  Completion end = harness.next();
  if (end.result == -ENOBUFS) {
    harness.backend().recv(recv_token, pair.descriptor);
    end = harness.next();
  }
  CHECK(end.result == 0);
  harness.backend().close(pair.descriptor, false);
}

void no_buffers_ends_a_receive(Harness& harness) {
  IoBackend& backend = harness.backend();
  for (int round = 0; round < 2; ++round) {  // The second shows that every buffer came back.
    const auto pair = harness.pair();
    const std::string text = pattern((backend.buffers() + 3) * backend.buffer_bytes());
    pair.peer->write(text);
    backend.recv(recv_token, pair.descriptor);
    std::vector<Completion> held;
    Completion done = harness.next();
    while (done.result > 0) {
      held.push_back(done);
      if (!done.more) backend.recv(recv_token, pair.descriptor);
      done = harness.next();
    }
    CHECK(done.result == -ENOBUFS);
    CHECK_FALSE(done.more);
    CHECK_FALSE(done.has_buffer);
    CHECK(held.size() == backend.buffers());
    // While none is free, arming again ends the same way; once some are, it goes on where it stopped.
    backend.recv(recv_token, pair.descriptor);
    CHECK(harness.next().result == -ENOBUFS);
    std::string got;
    for (const Completion& each : held) got += harness.bytes_of(each);
    got += harness.receive(pair, recv_token, text.size() - got.size());
    CHECK(got == text);
    pair.peer->half_close();
    CHECK(harness.next().result == 0);
    backend.close(pair.descriptor, false);
  }
}

void many_buffers_come_back_at_once(Harness& harness) {
  IoBackend& backend = harness.backend();
  const auto pair = harness.pair();
  std::string sent, got;
  for (int round = 0; round < 50; ++round) {  // Around the ring of buffers many times.
    const std::string text = pattern(200 + static_cast<std::size_t>(round) * 90);
    sent += text;
    pair.peer->write(text);
    std::vector<std::uint16_t> ids;
    while (got.size() < sent.size()) {
      if (round == 0 && got.empty()) backend.recv(recv_token, pair.descriptor);
      const Completion done = harness.next();
      REQUIRE(done.result > 0);
      got.append(backend.buffer(done.buffer_id), static_cast<std::size_t>(done.result));
      ids.push_back(done.buffer_id);
      if (!done.more) backend.recv(recv_token, pair.descriptor);
    }
    backend.give_back(ids);
  }
  CHECK(got == sent);
  pair.peer->half_close();
  CHECK(harness.next().result == 0);
  backend.close(pair.descriptor, false);
}

void send_one_part(Harness& harness) {
  const auto pair = harness.pair();
  std::string text = "hello";
  const iovec part{.iov_base = text.data(), .iov_len = text.size()};
  harness.backend().send(send_token, pair.descriptor, {&part, 1});
  const Completion done = harness.next();
  CHECK(done.token == send_token);
  CHECK(done.result == 5);
  CHECK_FALSE(done.more);
  CHECK_FALSE(done.has_buffer);
  harness.until([&] { return pair.peer->received() == text; });
  harness.backend().close(pair.descriptor, false);
}

void send_many_parts(Harness& harness) {
  for (const std::size_t count : {2u, 8u, 9u, 1024u}) {
    const auto pair = harness.pair();
    std::string text = pattern(count * 3);
    std::vector<iovec> parts;
    for (std::size_t i = 0; i < count; ++i) parts.push_back({.iov_base = text.data() + i * 3, .iov_len = 3});
    harness.backend().send(send_token, pair.descriptor, parts);
    CHECK(harness.next().result == static_cast<int>(text.size()));
    harness.until([&] { return pair.peer->received().size() == text.size(); });
    CHECK(pair.peer->received() == text);
    harness.backend().close(pair.descriptor, false);
  }
}

void sends_in_one_turn(Harness& harness) {
  // Their headers must not get mixed up between being started and being submitted.
  std::vector<Harness::Pair> pairs;
  std::vector<std::string> texts;
  std::vector<std::array<iovec, 2>> parts(10);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    pairs.push_back(harness.pair());
    texts.push_back(std::string(20, static_cast<char>('a' + i)));
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i] = {iovec{.iov_base = texts[i].data(), .iov_len = 7},
                iovec{.iov_base = texts[i].data() + 7, .iov_len = 13}};
    harness.backend().send({Op::send, 1, static_cast<std::uint32_t>(i)}, pairs[i].descriptor, parts[i]);
  }
  for (std::size_t i = 0; i < parts.size(); ++i) CHECK(harness.next().result == 20);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    harness.until([&] { return pairs[i].peer->received() == texts[i]; });
    harness.backend().close(pairs[i].descriptor, false);
  }
}

void a_peer_that_does_not_read_holds_a_send_back(Harness& harness) {
  IoBackend& backend = harness.backend();
  const auto pair = harness.pair();
  pair.peer->set_reading(false);
  std::string text = pattern(12 << 20);
  std::size_t sent_bytes = 0;
  iovec parts[2];
  const auto send_rest = [&] {
    const std::size_t half = (text.size() - sent_bytes) / 2;
    parts[0] = {.iov_base = text.data() + sent_bytes, .iov_len = half};
    parts[1] = {.iov_base = text.data() + sent_bytes + half, .iov_len = text.size() - sent_bytes - half};
    backend.send(send_token, pair.descriptor, parts);
  };
  std::vector<Completion> done;
  do {
    send_rest();
    done = harness.rest();
    for (const Completion& each : done) {
      REQUIRE(each.result > 0);
      sent_bytes += static_cast<std::size_t>(each.result);
    }
    REQUIRE(sent_bytes < text.size());
  } while (!done.empty());
  CHECK(backend.unacknowledged_bytes(pair.descriptor) != 0);
  pair.peer->set_reading(true);
  while (sent_bytes < text.size()) {
    harness.until([&] {
      pair.peer->received();
      done = harness.take();
      return !done.empty();
    });
    REQUIRE(done.size() == 1);
    REQUIRE(done[0].result > 0);
    sent_bytes += static_cast<std::size_t>(done[0].result);
    if (sent_bytes < text.size()) send_rest();
  }
  harness.until([&] { return pair.peer->received().size() == text.size(); });
  CHECK(pair.peer->received() == text);
  backend.close(pair.descriptor, false);
}

void both_directions_at_once(Harness& harness) {
  const auto pair = harness.pair();
  std::string text = "reply";
  const iovec part{.iov_base = text.data(), .iov_len = text.size()};
  harness.backend().recv(recv_token, pair.descriptor);
  harness.backend().send(send_token, pair.descriptor, {&part, 1});
  pair.peer->write("request");
  int seen = 0;
  for (int i = 0; i < 2; ++i) {
    const Completion done = harness.next();
    seen += done.token == recv_token ? 1 : 10;
    CHECK(done.result == (done.token == recv_token ? 7 : 5));
    harness.give_back(done);
  }
  CHECK(seen == 11);
  pair.peer->half_close();
  CHECK(harness.next().result == 0);
  harness.backend().close(pair.descriptor, false);
}

}  // namespace

const std::vector<Case> stream_cases = {
    {"accept: one completion a connection, and it goes on", accept_goes_on},
    {"accept: connections that waited already", accept_finds_what_waits},
    {"peer_address", peer_address_is_told},
    {"recv: goes on until the end", receive_goes_on},
    {"recv: more bytes than all buffers hold", receive_takes_many_buffers},
    {"recv: ENOBUFS, and armed again", no_buffers_ends_a_receive},
    {"give_back: many at once, around the ring", many_buffers_come_back_at_once},
    {"send: one part", send_one_part},
    {"send: up to 1024 parts", send_many_parts},
    {"send: many connections in one turn", sends_in_one_turn},
    {"send: short, held back, and whole in the end", a_peer_that_does_not_read_holds_a_send_back},
    {"recv and send at once", both_directions_at_once},
};

}  // namespace millrace::conformance
