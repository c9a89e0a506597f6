#include "tests/sim/sim_socket.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "engine/proto/ws/frame.hpp"
#include "tests/sim/sim_app.hpp"

namespace millrace::test {
namespace {

using io::sim::Random;
using ws::Opcode;

constexpr unsigned final_frame = 0x80;

unsigned first_of(Opcode opcode, bool final) noexcept {
  return static_cast<unsigned>(opcode) | (final ? final_frame : 0);
}

std::string upgrade(const std::string& path) {
  return "GET " + path +
         " HTTP/1.1\r\nHost: sim\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
}

std::string code_bytes(unsigned code) { return {static_cast<char>(code >> 8), static_cast<char>(code)}; }

void add_ping(Random& random, SimRequest& request) {
  std::string payload = std::to_string(request.wanted.socket.pongs++) + ".";
  payload.resize(std::max<std::size_t>(payload.size(), random.below(ws::control_bytes_max)), 'p');
  request.bytes += client_frame(random, first_of(Opcode::ping, true), payload);
}

// In up to three frames, with pings in between.
void add_message(Random& random, SimRequest& request, std::string_view message, Opcode opcode) {
  const std::uint64_t frames = 1 + random.below(3);
  for (std::uint64_t i = 1; i <= frames; ++i) {
    const std::size_t size = i == frames ? message.size() : random.below(message.size() + 1);
    request.bytes += client_frame(random, first_of(i == 1 ? opcode : Opcode::continuation, i == frames),
                                  message.substr(0, size));
    message.remove_prefix(size);
    if (random.chance(200)) add_ping(random, request);
  }
}

// What no client may send, and the code that it is told.
void add_fault(Random& random, SimRequest& request) {
  unsigned& code = request.wanted.socket.close_code;
  code = 1002;
  switch (random.below(6)) {
    case 0: request.bytes += std::string("\x81\x02no", 4); break;  // Without a mask.
    case 1: request.bytes += client_frame(random, 0x83, "a reserved opcode"); break;
    case 2: request.bytes += client_frame(random, 0x80, "continues nothing"); break;
    case 3: request.bytes += client_frame(random, 0x88, code_bytes(1005)); break;
    case 4:
      request.bytes += client_frame(random, 0x81, "no \xff text");
      code = 1007;
      break;
    default:
      request.bytes += client_frame(random, 0x82, std::string(sim_message_bytes_max + 1, 'x'));
      code = 1009;
      break;
  }
  request.bytes += client_frame(random, 0x81, "nobody may read this");
}

void add_end(Random& random, SimRequest& request) {
  const std::uint64_t way = random.below(4);
  if (way == 0) add_fault(random, request);
  if (way != 1) return;
  request.wanted.socket.close_code =
      random.chance(500) ? 1000 : 3000 + static_cast<unsigned>(random.below(1000));
  request.bytes += client_frame(random, 0x88, code_bytes(request.wanted.socket.close_code));
}

SimRequest draw_echo(Random& random) {
  SimRequest request;
  request.bytes = upgrade("/ws/echo");
  const std::uint64_t count = random.below(10);
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string message = letters(random.below(i % 4 == 3 ? sim_message_bytes_max : 200));
    add_message(random, request, message, random.chance(500) ? Opcode::text : Opcode::binary);
    request.wanted.socket.messages.push_back(std::move(message));
  }
  if (random.chance(200)) {  // More than the output has room for.
    for (std::uint64_t i = random.below(500); i > 0; --i) add_ping(random, request);
  }
  add_end(random, request);
  return request;
}

// Whoever is in it hears everybody, those of the other cores too.
SimRequest draw_room(Random& random, std::size_t client) {
  SimRequest request;
  request.bytes = upgrade("/ws/room/" + std::to_string(client));
  const std::uint64_t count = random.below(8);
  for (std::uint64_t i = 0; i < count; ++i)
    add_message(random, request, letters(random.below(100)), Opcode::text);
  request.wanted.socket.room = true;
  add_end(random, request);
  return request;
}

SimRequest draw_push(Random& random) {
  const std::uint64_t count = random.below(30), size = random.below(random.chance(500) ? 100 : 5000);
  SimRequest request;
  request.bytes = upgrade("/ws/push/" + std::to_string(count) + "/" + std::to_string(size));
  request.wanted.socket.messages.assign(count, letters(size));
  request.wanted.socket.close_code = 1000;
  request.wanted.socket.pushed = true;
  return request;
}

}  // namespace

std::string client_frame(Random& random, unsigned first, std::string_view payload) {
  char header[ws::sent_header_bytes_max];
  const std::size_t size = ws::write_frame_header(header, Opcode::text, false, payload.size());
  header[0] = static_cast<char>(first);
  header[1] = static_cast<char>(header[1] | 0x80);
  std::string bytes(header, size);
  const std::uint64_t mask = random.next();
  for (unsigned i = 0; i < 4; ++i) bytes += static_cast<char>(mask >> 8 * i);
  for (std::size_t i = 0; i < payload.size(); ++i)
    bytes += static_cast<char>(payload[i] ^ static_cast<char>(mask >> 8 * (i % 4)));
  return bytes;
}

SimRequest draw_socket_request(Random& random, std::size_t client) {
  const std::uint64_t kind = random.below(10);
  SimRequest request = kind < 5   ? draw_echo(random)
                       : kind < 8 ? draw_room(random, client)
                                  : draw_push(random);
  request.wanted.status = 101;
  request.wanted.switches = true;
  return request;
}

std::string SocketJudge::take(std::string_view& rest, bool draining) {
  while (rest.size() >= 2) {
    const auto first = static_cast<unsigned char>(rest[0]), second = static_cast<unsigned char>(rest[1]);
    if (closed_) return "bytes behind the close frame";
    if ((first & 0xf0) != final_frame || second > 127) return "no frame of this server";
    std::size_t at = 2;
    std::uint64_t size = second;
    if (size >= 126) {
      const std::size_t length_bytes = size == 126 ? 2 : 8;
      if (rest.size() < at + length_bytes) return {};
      size = 0;
      for (std::size_t i = 0; i < length_bytes; ++i)
        size = size << 8 | static_cast<unsigned char>(rest[at++]);
    }
    if (rest.size() - at < size) return {};
    const std::string_view payload = rest.substr(at, size);
    rest.remove_prefix(at + size);
    if (std::string wrong = on_frame(first & 15, payload, draining); !wrong.empty()) return wrong;
  }
  return {};
}

std::string SocketJudge::on_frame(unsigned opcode, std::string_view payload, bool draining) {
  switch (static_cast<Opcode>(opcode)) {
    case Opcode::text:
    case Opcode::binary: return wanted_.room ? on_published(payload) : on_message(payload);
    case Opcode::ping: ++pings_; return {};
    case Opcode::pong: {
      const std::string number = std::to_string(pongs_) + ".";
      if (!payload.starts_with(number) || pongs_ >= wanted_.pongs) return "a pong to no ping of that turn";
      ++pongs_;
      return {};
    }
    case Opcode::close:
      closed_ = true;
      close_code_ = payload.size() < 2 ? 1005
                                       : static_cast<unsigned>(static_cast<unsigned char>(payload[0]) << 8 |
                                                               static_cast<unsigned char>(payload[1]));
      if (close_code_ == wanted_.close_code || (draining && close_code_ == 1001)) return {};
      return "closed with " + std::to_string(close_code_) + ", wanted " + std::to_string(wanted_.close_code);
    case Opcode::continuation: break;
  }
  return "a frame of opcode " + std::to_string(opcode);
}

std::string SocketJudge::on_message(std::string_view payload) {
  if (messages_ == wanted_.messages.size()) return "a message too many";
  if (payload != wanted_.messages[messages_])
    return "message " + std::to_string(messages_ + 1) + " is wrong, of " + std::to_string(payload.size()) +
           " bytes";
  ++messages_;
  return {};
}

// "17:3:abc": the seventeenth that was published in this world, by client 3.
std::string SocketJudge::on_published(std::string_view payload) {
  std::size_t number = 0;
  std::from_chars(payload.data(), payload.data() + payload.size(), number);
  const std::vector<Published>& all = live_counts().published;
  if (number >= all.size() || all[number].text != payload) return "a message that nobody has published";
  // Of one publisher in order, each once; of several in any.
  for (auto at = heard_.rbegin(); at != heard_.rend(); ++at) {
    if (all[*at].client != all[number].client) continue;
    if (*at >= number) return "a published message twice, or late";
    break;
  }
  heard_.push_back(number);
  ++messages_;
  return {};
}

std::string SocketJudge::missing_of_room() const {
  const Live& live = live_counts();
  const std::size_t from = live.subscribed.at(client_);
  for (std::size_t i = from; i < live.published.size(); ++i) {
    if (std::find(heard_.begin(), heard_.end(), i) == heard_.end())
      return live.published[i].text.substr(0, 40);
  }
  return {};
}

bool SocketJudge::complete() const noexcept {
  if (wanted_.close_code != 0 && !closed_) return false;
  return pongs_ == wanted_.pongs && (wanted_.room || messages_ == wanted_.messages.size());
}

unsigned SocketJudge::take_pings() noexcept { return std::exchange(pings_, 0); }

std::string SocketJudge::state() const {
  return std::to_string(messages_) + " of " + std::to_string(wanted_.messages.size()) + " messages, " +
         std::to_string(pongs_) + " of " + std::to_string(wanted_.pongs) + " pongs, " +
         (closed_ ? "closed with " + std::to_string(close_code_) : "not closed") + ", wanted " +
         std::to_string(wanted_.close_code);
}

}  // namespace millrace::test
