// connection.hpp: one accepted socket, and what a protocol keeps with it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/base/clock.hpp"
#include "engine/base/list.hpp"
#include "engine/io/backend.hpp"
#include "engine/mem/block_pool.hpp"
#include "engine/net/chain.hpp"
#include "engine/net/timer_wheel.hpp"

namespace millrace::net {

class Protocol;
class Transport;
struct FlushTag;

/// Why a connection was closed, for the counters.
enum class CloseReason : std::uint8_t {
  finished,     ///< The last reply was sent, or the peer ended between requests.
  peer_closed,  ///< The peer ended inside a request.
  reset,
  timeout,
  refused,     ///< A request that could not be served ended it.
  incomplete,  ///< A reply that had begun could not be completed: reset, so that nobody takes it for whole.
  no_memory,
  stopped,  ///< The server stops.
};
inline constexpr unsigned close_reason_count = 8;

/// Bytes received and not consumed yet. An idle connection holds no block.
struct Input {
  mem::Block block;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::uint32_t size() const noexcept { return end - begin; }
  char* data() noexcept { return block.data + begin; }
};

struct Connection;

/// A timer that knows its connection. It may fire early: Connection::deadline is what counts, so that a
/// deadline that only moves on costs one store.
struct ConnectionTimer : Timer {
  explicit ConnectionTimer(Connection& of) noexcept : Timer(TimerKind::connection), owner(&of) {}
  Connection* owner;
};

/// Lives in the core's slab; its slot and generation are in every token of its operations.
struct Connection : ListLink<FlushTag> {
  /// Room for the protocol's own state, built and destroyed by it.
  static constexpr std::size_t state_bytes = 208;
  static constexpr std::size_t unasked = ~std::size_t{0};

  Connection(io::Descriptor socket, Protocol& speaks) noexcept
      : protocol(&speaks), timer(*this), descriptor(socket) {}

  Protocol* protocol;
  ConnectionTimer timer;
  TimeNs deadline = time_never;
  Input input;
  Chain output;
  Transport* transport = nullptr;  ///< Null: plain TCP.
  std::size_t sealed_bytes = 0;    ///< At the front of the output, by the transport.
  std::size_t unacknowledged_bytes =
      unasked;  ///< Of the send under way, when Carrier::peer_takes() last asked.
  io::Descriptor descriptor;
  std::uint8_t operations = 0;        ///< Submitted and not completed for good.
  bool receiving : 1 = false;         ///< A multishot receive is armed.
  bool receive_stopping : 1 = false;  ///< Its cancellation was asked for.
  bool sending : 1 = false;
  bool watching : 1 = false;      ///< A hangup watch is armed.
  bool starved : 1 = false;       ///< Waits for buffers to come back.
  bool read_ended : 1 = false;    ///< The peer sends no more.
  bool hold_reading : 1 = false;  ///< The protocol wants no more input for now.
  bool finishing : 1 = false;     ///< Close once the output is sent.
  bool aborting : 1 = false;      ///< Close at the end of the turn.
  bool lingering : 1 = false;     ///< Our direction is shut; input is dropped until the peer's ends.
  bool closing : 1 = false;       ///< Gone for the protocol; waits for its operations.
  bool kernel_seals : 1 = false;  ///< Of a transport: the kernel makes the records of what is sent.
  bool alert : 1 = false;         ///< Where it does: the output is an alert.
  bool delivering : 1 = false;  ///< Lingering already, but our direction waits until the peer has taken all.
  std::uint8_t looks : 5 = 0;   ///< While delivering: in a row, that saw the peer take nothing.
  CloseReason reason : 3 = CloseReason::finished;

  /// The output is sent as it is, and files in it.
  bool sends_plain() const noexcept { return transport == nullptr || kernel_seals; }

  alignas(16) std::byte state[state_bytes];
};

}  // namespace millrace::net
