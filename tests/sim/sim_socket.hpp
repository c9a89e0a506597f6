// sim_socket.hpp: what a simulated client says on a WebSocket, and how it judges what it hears.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/sim_request.hpp"

namespace millrace::test {

/// An upgrade with all that is said behind it: the last request of its client. `name` is the client's number.
SimRequest draw_socket_request(io::sim::Random& random, std::size_t client);

/// A frame as a client sends it. `first`: FIN, RSV and opcode.
std::string client_frame(io::sim::Random& random, unsigned first, std::string_view payload);

/// Reads frames, the moment they come.
///
/// What it wants   only whole, plain frames of a server; messages and pongs each in their order; nothing
///                 behind the close frame, whose code was the right one.
class SocketJudge {
 public:
  SocketJudge(const WantedSocket& wanted, std::size_t client) noexcept : wanted_(wanted), client_(client) {}

  /// Takes whole frames off the front. Empty, or what was wrong. draining: 1001 may come any time.
  std::string take(std::string_view& rest, bool draining);
  /// Everything that was promised has come.
  bool complete() const noexcept;
  bool closed() const noexcept { return closed_; }
  unsigned close_code() const noexcept { return close_code_; }
  /// Pings that came since the last call.
  unsigned take_pings() noexcept;
  std::uint64_t messages() const noexcept { return messages_; }
  /// What is missing, for people.
  std::string state() const;
  /// Of a room: empty, or a message that was published while it listened and did not come.
  std::string missing_of_room() const;

 private:
  std::string on_frame(unsigned opcode, std::string_view payload, bool draining);
  std::string on_message(std::string_view payload);
  std::string on_published(std::string_view payload);

  const WantedSocket& wanted_;
  std::size_t client_;
  std::size_t messages_ = 0;
  std::size_t pongs_ = 0;
  unsigned pings_ = 0;
  bool closed_ = false;
  unsigned close_code_ = 0;
  std::vector<std::size_t> heard_;  ///< Of a room: numbers in what was published, as they came.
};

}  // namespace millrace::test
