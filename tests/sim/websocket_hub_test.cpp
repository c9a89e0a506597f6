// Goal: what one core publishes reaches the subscribers of the others, once, in order, and within bounds.
#include "engine/serve/hub.hpp"
#include "tests/sim/websocket_app.hpp"

namespace millrace::test {
namespace {

TEST_CASE("ws hub: from core to core, in order") {
  serve::Hub hub(2);
  SocketCore a, b;
  a.core->join_hub(hub, 0);
  b.core->join_hub(hub, 1);
  Client writer = a.open("/room"), near = a.open("/room"), far = b.open("/room"), stranger = b.open("/echo");
  std::string sent;
  for (int i = 0; i < 20; ++i) sent += frame(Opcode::text, std::to_string(i));
  writer.write(sent);
  a.run(5 * ns_per_ms);
  b.run(5 * ns_per_ms);
  for (Client* client : {&writer, &near, &far}) {
    const auto frames = take_frames(*client);
    REQUIRE(frames.size() == 20);
    for (int i = 0; i < 20; ++i) CHECK(frames[static_cast<std::size_t>(i)].payload == std::to_string(i));
  }
  CHECK(take_frames(stranger).empty());
  CHECK(hub.post(serve::Hub::no_core, "room", "from outside", Opcode::text));
  a.run(5 * ns_per_ms);
  b.run(5 * ns_per_ms);
  CHECK(take_frames(near).size() == 1);
  CHECK(take_frames(far).size() == 1);
}

TEST_CASE("ws hub: a mailbox takes so many messages and so many bytes, then says no") {
  io::sim::World world(1);
  serve::Mailbox mailbox;
  CHECK(mailbox.put("t", "nobody is there", Opcode::text));
  mailbox.attach(&world.backend());
  std::vector<serve::Publication> taken;
  mailbox.take(taken);
  CHECK(taken.empty());
  for (std::size_t i = 0; i < serve::Mailbox::messages_max; ++i) REQUIRE(mailbox.put("t", "m", Opcode::text));
  CHECK_FALSE(mailbox.put("t", "one too many", Opcode::text));
  mailbox.take(taken);
  CHECK(taken.size() == serve::Mailbox::messages_max);
  taken.clear();

  const std::string half(serve::Mailbox::bytes_max / 2 - 1, 'h');
  CHECK(mailbox.put("t", half, Opcode::binary));
  CHECK(mailbox.put("t", half, Opcode::binary));
  CHECK_FALSE(mailbox.put("t", "", Opcode::binary));
  mailbox.take(taken);
  CHECK(taken.size() == 2);
  mailbox.attach(nullptr);
}

}  // namespace
}  // namespace millrace::test
