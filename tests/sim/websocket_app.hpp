// websocket_app.hpp: one core with an application of WebSockets, on a simulated network; and a client's frames.
//
//   /echo     each message back                     /push    2 KiB again and again, until it is cancelled
//   /room     publishes to those in it              /close   closes by code 4001 at the first message
//   /strict   as /room, but slow ones are closed    /sleep   sleeps an hour
//   /later    text, after 50 ms                     /throw   throws at the first message
#pragma once

#include <doctest/doctest.h>
#include <millrace/millrace.hpp>

#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/sim/world.hpp"
#include "engine/proto/ws/frame.hpp"
#include "engine/serve/core.hpp"
#include "engine/serve/dispatch.hpp"

namespace millrace::test {

using io::sim::Client;
using ws::Opcode;

/// How the coroutines ended.
struct Endings {
  unsigned live = 0, told = 0, cancelled = 0, last_code = 0;
};

class Guard {
 public:
  explicit Guard(Endings& endings) : endings_(endings) { ++endings_.live; }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() {
    --endings_.live;
    ++(told_ ? endings_.told : endings_.cancelled);
  }
  void told(const WebSocket& socket) {
    told_ = true;
    endings_.last_code = socket.close_code();
  }

 private:
  Endings& endings_;
  bool told_ = false;
};

inline WebSocketOptions small_limits() {
  WebSocketOptions options;
  options.message_bytes = 4096;
  options.frame_bytes = 4096;
  options.fragments = 8;
  options.output_bytes = 16 * 1024;
  options.ping_ms = 1000;
  options.pong_ms = 500;
  options.close_ms = 500;
  options.write_idle_ms = 2000;
  options.compress = true;
  options.compress_bytes = 64;
  return options;
}

inline void add_sockets(App& app, Endings& endings) {
  app.get("/later", []() -> Task<std::string> {
    co_await sleep(std::chrono::milliseconds(50));
    co_return "later";
  });
  app.ws(
      "/echo",
      [&endings](WebSocket& socket) -> Task<> {
        Guard guard(endings);
        while (auto message = co_await socket.receive()) co_await socket.send(*message);
        guard.told(socket);
      },
      small_limits());
  app.ws(
      "/push",
      [&endings](WebSocket& socket) -> Task<> {
        Guard guard(endings);
        const std::string message(2048, 'p');
        for (;;) co_await socket.send_binary(message);
      },
      small_limits());
  WebSocketOptions strict = small_limits();
  strict.close_slow_subscribers = true;
  const auto room = [&endings](WebSocket& socket) -> Task<> {
    Guard guard(endings);
    socket.subscribe("room");
    socket.subscribe("room");
    while (auto message = co_await socket.receive()) publish("room", *message);
    guard.told(socket);
  };
  app.ws("/room", room, small_limits());
  app.ws("/strict", room, strict);
  app.ws(
      "/close",
      [&endings](WebSocket& socket) -> Task<> {
        Guard guard(endings);
        co_await socket.receive();
        socket.close(4001, "enough");
        CHECK_FALSE(socket.open());
        CHECK_FALSE(socket.try_send("behind"));
        CHECK_FALSE(co_await socket.receive());
        guard.told(socket);
      },
      small_limits());
  app.ws(
      "/sleep",
      [&endings](WebSocket&) -> Task<> {
        Guard guard(endings);
        co_await sleep(std::chrono::hours(1));
      },
      small_limits());
  app.ws(
      "/throw",
      [](WebSocket& socket) -> Task<> {
        co_await socket.receive();
        throw std::runtime_error("of the handler");
      },
      small_limits());
}

struct SocketCore {
  explicit SocketCore(io::sim::FaultPlan plan = {}, std::uint64_t seed = 7)
      : world(seed, plan,
              {.queue_entries = 64, .completion_entries = 256, .buffers = 8, .buffer_bytes = 2048}) {
    add_sockets(app, endings);
    std::string problem;
    dispatch = serve::Dispatch::build(serve::state_of(app), problem);
    REQUIRE(problem.empty());
    serve::CoreOptions options;
    options.http.isa = http::Isa::scalar;
    options.http.wall_clock = []() noexcept { return TimeNs{1'700'000'000} * ns_per_s; };
    options.connections_max = 64;
    options.memory_bytes_max = 16u << 20;
    core = std::make_unique<serve::Core>(options, world.backend(), *dispatch);
    listener = world.listen();
    core->listen(listener);
  }
  ~SocketCore() {
    if (!core->done()) core->request_stop(0);
    for (int i = 0; i < 10'000 && !core->done(); ++i) core->turn(world.now() + ns_per_s);
    CHECK(core->done());
    CHECK(world.clean());
    CHECK(endings.live == 0);
    core.reset();  // Its pool and its topics assert that everything came back.
  }
  void run(TimeNs duration) {
    const TimeNs until = world.now() + duration;
    std::uint64_t turns = 0;
    while (world.now() < until) {
      core->turn(until);
      REQUIRE(++turns < 100'000);
    }
  }
  Client connect(std::string_view bytes) {
    Client client = world.connect(listener);
    client.write(bytes);
    return client;
  }
  /// A WebSocket that is open, its 101 taken.
  Client open(std::string_view path, std::string_view fields = "");
  const serve::CoreCounters& counters() const { return core->counters(); }

  Endings endings;
  App app;
  io::sim::World world;
  std::unique_ptr<serve::Dispatch> dispatch;
  std::unique_ptr<serve::Core> core;
  io::Descriptor listener = io::no_descriptor;
};

inline std::string upgrade(std::string_view path, std::string_view fields = "") {
  return "GET " + std::string(path) +
         " HTTP/1.1\r\nHost: sim\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: "
         "13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
         std::string(fields) + "\r\n";
}

/// As a client sends it, with a mask of its own. `first`: FIN, RSV and opcode.
inline std::string raw_frame(unsigned first, std::string_view payload) {
  char header[ws::sent_header_bytes_max];
  const std::size_t size = ws::write_frame_header(header, Opcode::text, false, payload.size());
  header[0] = static_cast<char>(first);
  header[1] = static_cast<char>(header[1] | 0x80);
  std::string bytes(header, size);
  const char mask[4] = {'\x21', '\x43', '\x65', '\x07'};
  bytes.append(mask, 4);
  for (std::size_t i = 0; i < payload.size(); ++i) bytes += static_cast<char>(payload[i] ^ mask[i % 4]);
  return bytes;
}
inline std::string frame(Opcode opcode, std::string_view payload) {
  return raw_frame(0x80 | static_cast<unsigned>(opcode), payload);
}
inline std::string close_frame(unsigned code) {
  const char payload[2] = {static_cast<char>(code >> 8), static_cast<char>(code)};
  return frame(Opcode::close, {payload, 2});
}

struct Received {
  Opcode opcode;
  std::string payload;
  bool compressed;
  unsigned code() const {
    return payload.size() < 2 ? 1005u
                              : static_cast<unsigned>(static_cast<unsigned char>(payload[0]) << 8 |
                                                      static_cast<unsigned char>(payload[1]));
  }
};

/// Takes the whole frames from the front of what a server sent.
inline std::vector<Received> take_frames(std::string& bytes) {
  std::vector<Received> frames;
  for (;;) {
    if (bytes.size() < 2) return frames;
    std::size_t at = 2;
    std::uint64_t size = static_cast<unsigned char>(bytes[1]);
    REQUIRE(size < 128);
    if (size >= 126) {
      const std::size_t length_bytes = size == 126 ? 2 : 8;
      if (bytes.size() < at + length_bytes) return frames;
      size = 0;
      for (std::size_t i = 0; i < length_bytes; ++i)
        size = size << 8 | static_cast<unsigned char>(bytes[at++]);
    }
    if (bytes.size() < at + size) return frames;
    const unsigned first = static_cast<unsigned char>(bytes[0]);
    frames.push_back({static_cast<Opcode>(first & 15), bytes.substr(at, size), (first & 0x40) != 0});
    bytes.erase(0, at + size);
  }
}
inline std::vector<Received> take_frames(Client& client) {
  std::string bytes = client.take();
  std::vector<Received> frames = take_frames(bytes);
  CHECK(bytes.empty());
  return frames;
}

inline Client SocketCore::open(std::string_view path, std::string_view fields) {
  Client client = connect(upgrade(path, fields));
  run(5 * ns_per_ms);
  const std::string head = client.take();
  REQUIRE(head.starts_with("HTTP/1.1 101 "));
  REQUIRE(head.ends_with("\r\n\r\n"));
  return client;
}

}  // namespace millrace::test
