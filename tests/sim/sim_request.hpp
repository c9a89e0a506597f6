// sim_request.hpp: one request of a simulated client, and what it must be answered.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/sim/random.hpp"

namespace millrace::test {

/// What a client wants to hear on a WebSocket.
struct WantedSocket {
  std::vector<std::string> messages;  ///< In order.
  std::uint64_t pongs = 0;            ///< Each begins with its number.
  unsigned close_code = 0;            ///< Of the server's close frame; 0: none.
  bool room = false;                  ///< What is published, in place of `messages`.
  bool pushed = false;                ///< The messages come by themselves, and end when the client does.
};

/// What a client wants to hear.
struct Wanted {
  unsigned status = 200;
  std::string body;
  bool to_head = false;       ///< The reply to HEAD: Content-Length of `body`, no body.
  bool close = false;         ///< And that the connection ends behind it.
  bool may_close = false;     ///< It may end there.
  bool answers_head = false;  ///< The reply may begin before the body is there.
  bool broken = false;        ///< It never becomes whole, and the connection ends.
  bool in_chunks = false;     ///< Streamed, and so without a Content-Length.
  std::string trailers = {};
  bool form = false;         ///< A multipart form was sent.
  bool takes_gzip = false;   ///< It may be compressed: the body is what it comes to.
  bool coded = false;        ///< It must be.
  bool until_close = false;  ///< To HTTP/1.0: the body ends where the connection does.
  bool switches = false;     ///< Behind it comes a WebSocket.
  WantedSocket socket = {};
};

struct SimRequest {
  std::string bytes;
  /// Expect: 100-continue: the client waits here for 100, or for some time; 0: it sends at once.
  std::size_t waits_at = 0;
  Wanted wanted;

  /// Says whose it is, so that the application can count it.
  void sign(std::size_t client);
  /// For people: the first line.
  std::string_view line() const { return std::string_view(bytes).substr(0, bytes.find('\r')); }
};

/// What the core must hold to, so that requests know what is too much.
inline constexpr std::uint64_t sim_body_bytes_max = 8 * 1024;
inline constexpr std::uint32_t sim_head_bytes_max = 4 * 1024;
/// The longest reply there is, and the longest request.
inline constexpr std::uint64_t sim_reply_bytes_max = 20 * 1024;
/// What a WebSocket takes, and what it keeps for a peer that does not read.
inline constexpr std::size_t sim_message_bytes_max = 4096;
inline constexpr std::size_t sim_socket_output_max = 16 * 1024;
/// What is longer is compressed, and from twice as much on becomes shorter by it.
inline constexpr std::uint64_t sim_coded_bytes_min = 100;
/// The file behind /file.
inline constexpr std::uint64_t sim_file_bytes = 60 * 1024;

/// A request that leaves the connection open. `name` makes it one of its kind.
SimRequest draw_request(io::sim::Random& random, const std::string& name);
/// One that is never answered to its end: for clients that leave.
SimRequest draw_endless_request(io::sim::Random& random, bool reads);
/// One behind whose reply the connection ends, be it refused or granted; behind it comes what must not be
/// looked at.
SimRequest draw_last_request(io::sim::Random& random);

}  // namespace millrace::test
