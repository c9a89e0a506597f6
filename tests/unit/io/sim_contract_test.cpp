// Goal: the simulated backend catches a caller who breaks backend.hpp. Method: each rule is broken
// once in a child process; the same steps without the breach pass in the tests beside it.
#include <doctest/doctest.h>

#include <cerrno>
#include <string>

#include "engine/io/sim/world.hpp"
#include "tests/unit/io/dies.hpp"

using namespace millrace::io;
using test::dies;

namespace {

constexpr BackendOptions small{.queue_entries = 4, .completion_entries = 8, .buffers = 2, .buffer_bytes = 16};

/// A world with one accepted connection.
struct Scene {
  sim::World world{1, {}, small};
  IoBackend& backend = world.backend();
  Descriptor listener = world.listen();
  sim::Client client = world.connect(listener);
  Descriptor peer = no_descriptor;
  Completion done[8];

  Scene() {
    backend.accept({Op::accept, 0, 0}, listener);
    REQUIRE(turn() == 1);
    peer = done[0].result;
  }
  std::size_t turn() { return backend.wait(done, world.now()); }
  Token token(Op op) const { return {op, 1, 7}; }
};

iovec part_of(std::string& text) { return {.iov_base = text.data(), .iov_len = text.size()}; }

}  // namespace

TEST_CASE("SimBackend: close while an operation is under way") {
  CHECK_FALSE(dies([] {
    Scene scene;
    scene.backend.close(scene.peer, false);
  }));
  CHECK(dies([] {
    Scene scene;
    scene.backend.recv(scene.token(Op::recv), scene.peer);
    scene.backend.close(scene.peer, false);
  }));
  CHECK(dies([] {  // Cancelled is not ended.
    Scene scene;
    scene.backend.recv(scene.token(Op::recv), scene.peer);
    scene.turn();
    scene.backend.cancel(scene.token(Op::recv));
    scene.backend.close(scene.peer, false);
  }));
}

TEST_CASE("SimBackend: two sends at a time, and two operations with one token") {
  static std::string text = "hello";
  static iovec part = part_of(text);
  CHECK(dies([] {
    Scene scene;
    scene.backend.send({Op::send, 1, 7}, scene.peer, {&part, 1});
    scene.backend.send({Op::send, 2, 7}, scene.peer, {&part, 1});
  }));
  CHECK(dies([] {
    Scene scene;
    scene.client = scene.world.connect(scene.listener);
    REQUIRE(scene.turn() == 1);
    scene.backend.recv(scene.token(Op::recv), scene.peer);
    scene.backend.recv(scene.token(Op::recv), scene.done[0].result);
  }));
}

TEST_CASE("SimBackend: bytes or parts of a send changed before its completion") {
  const auto send_and = [](auto&& breach) {
    return [breach] {
      Scene scene;
      std::string text = "hello", other = "hello";
      iovec part = part_of(text);
      scene.backend.send(scene.token(Op::send), scene.peer, {&part, 1});
      breach(text, part, other);
      scene.turn();
    };
  };
  CHECK_FALSE(dies(send_and([](std::string&, iovec&, std::string&) {})));
  CHECK(dies(send_and([](std::string& text, iovec&, std::string&) { text[4] = '0'; })));
  CHECK(dies(send_and([](std::string&, iovec& part, std::string& other) { part = part_of(other); })));
  CHECK(dies(send_and([](std::string&, iovec& part, std::string&) { part.iov_len = 4; })));
}

TEST_CASE("SimBackend: buffers given back twice, or never received") {
  const auto receive_and = [](auto&& breach) {
    return [breach] {
      Scene scene;
      scene.client.write("x");
      scene.backend.recv(scene.token(Op::recv), scene.peer);
      if (scene.turn() != 1 || !scene.done[0].has_buffer) return;
      breach(scene.backend, scene.done[0].buffer_id);
    };
  };
  CHECK_FALSE(dies(receive_and([](IoBackend& backend, std::uint16_t id) { backend.give_back({&id, 1}); })));
  CHECK(dies(receive_and([](IoBackend& backend, std::uint16_t id) {
    backend.give_back({&id, 1});
    backend.give_back({&id, 1});
  })));
  CHECK(dies(receive_and([](IoBackend& backend, std::uint16_t id) {
    const auto other = static_cast<std::uint16_t>(id ^ 1);
    backend.give_back({&other, 1});
  })));
}

TEST_CASE("SimBackend: a buffer's bytes are gone once it was given back") {
  Scene scene;
  scene.client.write("secret");
  scene.backend.recv(scene.token(Op::recv), scene.peer);
  REQUIRE(scene.turn() == 1);
  const std::uint16_t id = scene.done[0].buffer_id;
  CHECK(std::string(scene.backend.buffer(id), 6) == "secret");
  scene.backend.give_back({&id, 1});
  CHECK(std::string(scene.backend.buffer(id), 6) != "secret");
}

TEST_CASE("SimBackend: operations on what is no open connection, and on what is no listener") {
  CHECK(dies([] {
    Scene scene;
    scene.backend.close(scene.peer, false);
    scene.backend.recv(scene.token(Op::recv), scene.peer);
  }));
  CHECK(dies([] {
    Scene scene;
    scene.backend.accept({Op::accept, 1, 1}, scene.peer);
  }));
  CHECK(dies([] {
    Scene scene;
    scene.backend.close(scene.peer, false);
    scene.backend.close(scene.peer, false);
  }));
}

TEST_CASE("SimBackend: a core that waits for ever with nothing to come is found") {
  CHECK(dies([] {
    Scene scene;
    for (int i = 0; i < 2000; ++i) scene.backend.wait(scene.done, millrace::time_never);
  }));
}

TEST_CASE("SimBackend: a cancel means what was under way, not what is started behind it") {
  Scene scene;
  const Token token = scene.token(Op::recv);
  scene.backend.recv(token, scene.peer);
  scene.client.half_close();
  REQUIRE(scene.turn() == 1);
  scene.backend.cancel(token);
  scene.backend.recv(token, scene.peer);
  REQUIRE(scene.turn() == 1);
  CHECK(scene.done[0].result == 0);
}

TEST_CASE("SimBackend: a hangup watch may end without having seen anything") {
  Scene scene;
  scene.world.plan().hangup_end = 1000;
  scene.backend.hangup(scene.token(Op::hangup), scene.peer);
  REQUIRE(scene.turn() == 1);
  CHECK(scene.done[0].result == -EAGAIN);
  CHECK_FALSE(scene.done[0].more);
  CHECK(scene.world.faults().hangup_ends == 1);
}
