// Goal: a WebSocket's deadlines, its bounds, and who learns of which end, on a clock that the test moves.
#include "tests/sim/websocket_app.hpp"

namespace millrace::test {
namespace {

TEST_CASE("ws: an echo, and the end by the peer") {
  SocketCore one;
  Client client = one.open("/echo");
  client.write(frame(Opcode::text, "hello") + frame(Opcode::binary, std::string(300, '\xff')));
  one.run(5 * ns_per_ms);
  auto frames = take_frames(client);
  REQUIRE(frames.size() == 2);
  CHECK(frames[0].payload == "hello");
  CHECK(frames[1].opcode == Opcode::binary);
  CHECK(frames[1].payload == std::string(300, '\xff'));
  client.write(close_frame(3000));
  one.run(5 * ns_per_ms);
  frames = take_frames(client);
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].opcode == Opcode::close);
  CHECK(frames[0].code() == 3000);
  CHECK(client.eof());
  CHECK(one.endings.told == 1);
  CHECK(one.endings.last_code == 3000);
}

TEST_CASE("ws: requests before it are answered first, frames behind it wait for it") {
  SocketCore one;
  Client client = one.connect("GET /later HTTP/1.1\r\nHost: sim\r\n\r\n" + upgrade("/echo") +
                              frame(Opcode::text, "early") + frame(Opcode::text, "bird"));
  one.run(10 * ns_per_ms);
  CHECK(client.received().empty());
  client.write(frame(Opcode::ping, "p"));
  one.run(100 * ns_per_ms);
  std::string all = client.take();
  const std::size_t switched = all.find("HTTP/1.1 101 ");
  REQUIRE(switched != std::string::npos);
  CHECK(all.find("later") < switched);
  all.erase(0, all.find("\r\n\r\n", switched) + 4);
  const auto frames = take_frames(all);
  REQUIRE(frames.size() == 3);
  CHECK(frames[0].payload == "early");
  CHECK(frames[1].payload == "bird");
  CHECK(frames[2].opcode == Opcode::pong);
}

TEST_CASE("ws: refused handshakes are HTTP, and the connection goes on") {
  SocketCore one;
  const std::string plain = "GET /echo HTTP/1.1\r\nHost: sim\r\n\r\n";
  std::string old = upgrade("/echo");
  old.replace(old.find("Version: 13"), 11, "Version: 12");
  Client client =
      one.connect(plain + old + upgrade("/echo", "Origin: http://elsewhere\r\n") + upgrade("/echo"));
  one.run(5 * ns_per_ms);
  const std::string all = client.take();
  CHECK(all.starts_with("HTTP/1.1 426 "));
  CHECK(all.find("Sec-WebSocket-Version: 13\r\n") != std::string::npos);
  CHECK(all.find("HTTP/1.1 403 ") != std::string::npos);
  CHECK(all.find("HTTP/1.1 101 ") != std::string::npos);
}

TEST_CASE("ws: a drain is a close with 1001, also where the 101 has yet to leave") {
  SocketCore one;
  Client waiting = one.connect("GET /later HTTP/1.1\r\nHost: sim\r\n\r\n" + upgrade("/echo"));
  Client open = one.open("/echo");
  Client sleeping = one.open("/sleep");
  one.core->request_stop(10 * ns_per_s);
  one.run(20 * ns_per_ms);
  auto frames = take_frames(open);
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].code() == 1001);
  CHECK(one.endings.last_code == 1001);
  open.write(close_frame(1001));
  one.run(100 * ns_per_ms);
  CHECK(open.eof());
  open.half_close();
  std::string all = waiting.take();
  CHECK(all.find("later") < all.find("HTTP/1.1 101 "));
  all.erase(0, all.find("\r\n\r\n", all.find("HTTP/1.1 101 ")) + 4);
  frames = take_frames(all);
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].code() == 1001);
  CHECK(take_frames(sleeping).size() == 1);
  one.run(600 * ns_per_ms);  // Who sleeps, or does not answer the close frame, is not waited for.
  CHECK(one.endings.live == 0);
  CHECK(one.core->connections() == 0);
}

TEST_CASE("ws: a silent peer is pinged, and dropped where it does not answer") {
  SocketCore one;
  Client dead = one.open("/echo"), alive = one.open("/echo");
  for (int second = 0; second < 5; ++second) {
    one.run(1100 * ns_per_ms);
    for (const Received& one_frame : take_frames(alive)) {
      CHECK(one_frame.opcode == Opcode::ping);
      alive.write(frame(Opcode::pong, one_frame.payload));
    }
  }
  CHECK(one.core->connections() == 1);
  CHECK(one.endings.told == 1);
  CHECK(one.endings.last_code == 1006);
  CHECK(one.counters().timeouts == 1);
  auto frames = take_frames(dead);
  CHECK(frames.size() == 1);
}

TEST_CASE("ws: a peer that does not answer the close frame is dropped in the end") {
  SocketCore one;
  Client client = one.open("/close");
  client.write(frame(Opcode::text, "x"));
  one.run(5 * ns_per_ms);
  auto frames = take_frames(client);
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].code() == 4001);
  CHECK(frames[0].payload.substr(2) == "enough");
  CHECK(one.endings.told == 1);
  client.write(frame(Opcode::text, "still talking") + frame(Opcode::ping, "?"));  // Dropped.
  one.run(100 * ns_per_ms);
  CHECK(client.received().empty());
  SUBCASE("it answers") {
    client.write(close_frame(4001));
    one.run(20 * ns_per_ms);
    CHECK(client.eof());
  }
  SUBCASE("it does not") {
    one.run(600 * ns_per_ms);
    CHECK(one.core->connections() == 0);
  }
}

TEST_CASE("ws: a flood of pings from a peer that does not read stops being read") {
  io::sim::FaultPlan plan;
  plan.send_buffer_bytes = 4096;
  SocketCore one(plan);
  Client client = one.open("/echo");
  client.set_reading(false);
  const std::uint64_t before = one.core->pool().bytes_used();
  const unsigned rounds = 400, each = 50;
  const std::string ping = frame(Opcode::ping, std::string(100, 'p'));
  std::string pings;
  for (unsigned i = 0; i < each; ++i) pings += ping;
  for (unsigned i = 0; i < rounds; ++i) {  // Two megabytes; 2 KiB a buffer, 8 buffers.
    client.write(pings);
    one.core->turn(one.world.now());
    CHECK(one.core->pool().bytes_used() - before < 128 << 10);
  }
  client.set_reading(true);
  one.run(200 * ns_per_ms);
  std::string bytes = client.take();
  const auto pongs = take_frames(bytes);
  CHECK(pongs.size() == rounds * each);
  CHECK(bytes.empty());
}

TEST_CASE("ws: a writer waits for a peer that does not read, and is cancelled when it is given up") {
  SocketCore one;
  Client client = one.connect(upgrade("/push"));
  client.set_reading(false);
  one.run(1000 * ns_per_ms);
  CHECK(one.endings.live == 1);
  CHECK(one.core->pool().bytes_used() < 128 << 10);
  SUBCASE("it reads on") {
    const std::size_t before = client.received().size();
    client.set_reading(true);
    one.run(20 * ns_per_ms);
    CHECK(client.received().size() > before + (1 << 20));
    client.reset();
  }
  SUBCASE("it never does") { one.run(2000 * ns_per_ms); }
  one.run(20 * ns_per_ms);
  CHECK(one.endings.live == 0);
  CHECK(one.endings.cancelled == 1);
  CHECK(one.core->connections() == 0);
}

TEST_CASE("ws: who leaves without a word: the reader is told, the sleeper is cancelled") {
  SocketCore one;
  Client reader = one.open("/echo"), sleeper = one.open("/sleep");
  SUBCASE("reset") {
    reader.reset();
    sleeper.reset();
  }
  SUBCASE("closed") {
    reader.close();
    sleeper.close();
  }
  SUBCASE("half closed") {
    reader.half_close();
    sleeper.half_close();
  }
  SUBCASE("in the middle of a frame") {
    const std::string cut = frame(Opcode::text, "never whole").substr(0, 9);
    reader.write(cut);
    sleeper.write(cut);
    one.run(2 * ns_per_ms);
    reader.half_close();
    sleeper.half_close();
  }
  one.run(20 * ns_per_ms);
  CHECK(one.endings.told == 1);
  CHECK(one.endings.cancelled == 1);
  CHECK(one.endings.last_code == 1006);
  CHECK(one.core->connections() == 0);
}

TEST_CASE("ws: a sleeper whose peer resets is cancelled, also where it is read no further") {
  SocketCore one;
  Client client = one.open("/sleep");
  for (int i = 0; i < 40; ++i) {  // The first message waits for ever; those behind it fill the input.
    client.write(frame(Opcode::binary, std::string(1000, 'x')));
    one.run(ns_per_ms);
  }
  CHECK(one.core->pool().bytes_used() < 128 << 10);
  client.reset();
  one.run(20 * ns_per_ms);
  CHECK(one.endings.cancelled == 1);
  CHECK(one.core->connections() == 0);
}

TEST_CASE("ws: messages that came before the peer's end are answered") {
  SocketCore one;
  Client client = one.open("/echo");
  client.write(frame(Opcode::text, "a") + frame(Opcode::text, "b") + frame(Opcode::text, "c"));
  client.half_close();
  one.run(20 * ns_per_ms);
  const auto frames = take_frames(client);
  REQUIRE(frames.size() == 3);
  CHECK(frames[2].payload == "c");
}

TEST_CASE("ws: limits are told by 1009, whatever was there before") {
  SocketCore one;
  Client client = one.open("/echo", "Sec-WebSocket-Extensions: permessage-deflate\r\n");
  std::string sent;
  SUBCASE("a frame") { sent = frame(Opcode::text, std::string(4097, 'a')); }
  SUBCASE("a message in frames") {
    sent = raw_frame(0x02, std::string(4000, 'a')) + raw_frame(0x80, std::string(97, 'a'));
  }
  SUBCASE("frames without end") {
    sent = raw_frame(0x01, "");
    for (int i = 0; i < 8; ++i) sent += raw_frame(0x00, "");
  }
  SUBCASE("a bomb") {
    mem::BlockPool pool(16 << 20);
    ws::Deflater deflater(pool, 15);
    ws::Bytes payload;
    REQUIRE(deflater.compress(std::string(512 << 10, '\0'), false, pool, payload));
    sent = raw_frame(0xc2, payload.view());
    payload.clear(pool);
    REQUIRE(sent.size() < 4096);
  }
  client.write(sent);
  one.run(20 * ns_per_ms);
  const auto frames = take_frames(client);
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].opcode == Opcode::close);
  CHECK(frames[0].code() == 1009);
  CHECK(one.endings.last_code == 1009);
  CHECK(one.counters().sockets_failed == 1);
}

TEST_CASE("ws: a message at its limit, in as many frames as allowed, is none too large") {
  SocketCore one;
  Client client = one.open("/echo");
  std::string sent = raw_frame(0x02, std::string(512, 'a'));
  for (int i = 0; i < 6; ++i) sent += raw_frame(0x00, std::string(512, 'b'));
  client.write(sent + raw_frame(0x80, std::string(512, 'c')));
  one.run(20 * ns_per_ms);
  const auto frames = take_frames(client);
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].payload.size() == 4096);
}

TEST_CASE("ws: a handler that throws closes with 1011") {
  SocketCore one;
  Client client = one.open("/throw");
  client.write(frame(Opcode::text, "x"));
  one.run(5 * ns_per_ms);
  const auto frames = take_frames(client);
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].code() == 1011);
}

TEST_CASE("ws: what is published reaches who subscribed, once, until it leaves") {
  SocketCore one;
  Client a = one.open("/room"), b = one.open("/room"), c = one.open("/echo");
  a.write(frame(Opcode::text, "hi"));
  one.run(5 * ns_per_ms);
  CHECK(take_frames(a).size() == 1);
  CHECK(take_frames(b).size() == 1);
  CHECK(take_frames(c).empty());
  b.reset();
  one.run(5 * ns_per_ms);
  a.write(frame(Opcode::text, "still here"));
  one.run(5 * ns_per_ms);
  CHECK(take_frames(a).size() == 1);
}

TEST_CASE("ws: a subscriber that never reads loses messages, or is closed; the others lose none") {
  for (const bool strict : {false, true}) {
    io::sim::FaultPlan plan;
    plan.send_buffer_bytes = 4096;
    SocketCore one(plan);
    Client slow = one.open(strict ? "/strict" : "/room"), quick = one.open("/room"),
           writer = one.open("/room");
    slow.set_reading(false);
    const std::string message = frame(Opcode::text, std::string(1000, 'm'));
    std::size_t got = 0;
    for (int i = 0; i < 100; ++i) {
      writer.write(message);
      one.run(2 * ns_per_ms);
      got += take_frames(quick).size();
      CHECK(one.core->pool().bytes_used() < 256 << 10);
    }
    CHECK(got == 100);
    if (strict) {
      CHECK(one.counters().slow_subscribers_closed == 1);
      slow.set_reading(true);
      one.run(20 * ns_per_ms);
      auto frames = take_frames(slow);
      REQUIRE_FALSE(frames.empty());
      CHECK(frames.back().code() == 1013);
    } else {
      CHECK(one.counters().published_dropped > 50);
      slow.set_reading(true);
      one.run(20 * ns_per_ms);
      writer.write(frame(Opcode::text, "again"));
      one.run(5 * ns_per_ms);
      CHECK(take_frames(slow).back().payload == "again");
    }
  }
}

// Everything that a world can do to a connection: what comes back is still an echo, whole and in order.
TEST_CASE("ws: echoes through faults, for many seeds") {
  std::uint64_t echoed = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    io::sim::Random random(seed);
    io::sim::FaultPlan plan = io::sim::FaultPlan::drawn(random);
    plan.accept_failure = 0;
    SocketCore one(plan, seed);
    std::vector<Client> clients;
    std::vector<std::string> wanted;
    for (unsigned i = 0; i < 4; ++i) {
      std::string sent = upgrade("/echo");
      std::string want;
      for (unsigned n = 0; n < 12; ++n) {
        std::string message(random.below(n % 4 == 3 ? 4000 : 200), static_cast<char>('a' + n));
        const std::size_t cut = random.below(static_cast<std::uint32_t>(message.size() + 1));
        sent += raw_frame(0x01, message.substr(0, cut)) + frame(Opcode::ping, "p") +
                raw_frame(0x80, message.substr(cut));
        want += message + '|';
      }
      clients.push_back(one.connect(sent + close_frame(1000)));
      wanted.push_back(want);
    }
    one.run(3 * ns_per_s);
    for (unsigned i = 0; i < clients.size(); ++i) {
      std::string bytes = clients[i].take();
      const std::size_t head = bytes.find("\r\n\r\n");
      std::string got;
      bool closed = false;
      if (head != std::string::npos) {
        CHECK(bytes.starts_with("HTTP/1.1 101 "));
        bytes.erase(0, head + 4);
        for (const Received& received : take_frames(bytes)) {
          CHECK_FALSE(closed);
          if (received.opcode == Opcode::text) got += received.payload + '|';
          if (received.opcode == Opcode::close) closed = true;
        }
      }
      CHECK(wanted[i].starts_with(got));
      if (!clients[i].was_reset() && plan.reset == 0 && plan.slow_reader == 0) CHECK(got == wanted[i]);
      echoed += got.size();
    }
  }
  CHECK(echoed > 1'000'000);
}

}  // namespace
}  // namespace millrace::test
