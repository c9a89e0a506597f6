// protocol.hpp: WebSocket over connections, one object a core. Source: RFC 6455, RFC 7692.
//
//   h1 -> 101 -> take_over -> on_bytes -> frames -> Session::message -> receive()   the coroutine
//                             Connection::output <- frames <- send(), publish()     of the handler
//
// Owner       one per Core; the sessions are in the connections, a SocketEnd in each coroutine.
// Invariants  (1) a message is given to the handler whole, judged, and once; while one waits nothing behind
//                 it is read but control frames before it.
//             (2) nothing is sent behind a close frame.
//             (3) whichever of connection and coroutine ends first leaves no pointer in the other.
// When full   more than output_bytes unsent: send() waits and reading stops, so a flood of pings holds back its
//             sender; a message past its limits: close 1009; the core's memory: the connection is dropped.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "engine/mem/block_pool.hpp"
#include "engine/net/protocol.hpp"
#include "engine/proto/exchange.hpp"
#include "engine/proto/tasks.hpp"
#include "engine/proto/ws/close_code.hpp"
#include "engine/proto/ws/session.hpp"

namespace millrace::ws {

struct Counters {
  std::uint64_t opened = 0, messages_received = 0, messages_sent = 0;
  std::uint64_t failed = 0;  ///< Closed for what the peer sent.
  std::uint64_t timeouts = 0;
  std::uint64_t published_dropped = 0;  ///< Messages of a topic that one subscriber had no room for.
  std::uint64_t slow_closed = 0;        ///< Subscribers closed for that.
};

/// A message on its way to one peer, or to all subscribers of a topic on a core: those without a context of their own,
/// and with the same window, get the same bytes, compressed once.
struct Published {
  std::string_view message;
  Opcode opcode;
  Bytes compressed = {};
  unsigned window_bits = 0;  ///< Of what is in `compressed`; 0: nothing.
};

class Protocol final : public net::Protocol, public proto::Successor {
 public:
  /// What is read ahead of a handler that is busy, at least, before reading stops.
  static constexpr std::size_t input_bytes_max = 16 * 1024;
  static constexpr std::size_t reason_block_bytes = mem::BlockPool::smallest_bytes;

  Protocol(net::Carrier& carrier, mem::BlockPool& pool, proto::Tasks& tasks) noexcept
      : carrier_(carrier), pool_(pool), tasks_(tasks) {}

  /// context: the detail::SocketEnd of a coroutine that awaits its opening, or will.
  void take_over(net::Connection& connection, void* context) noexcept override;

  void on_open(net::Connection& connection) noexcept override;
  void on_bytes(net::Connection& connection, char* data, std::size_t size) noexcept override;
  void on_end(net::Connection& connection) noexcept override;
  void on_sent(net::Connection& connection) noexcept override;
  void on_deadline(net::Connection& connection) noexcept override;
  void on_drain(net::Connection& connection) noexcept override;
  void on_closed(net::Connection& connection) noexcept override;

  // What the coroutine asks; `end` is open or not.
  detail::SocketRead receive(detail::SocketEnd& end, std::string_view& message, bool& binary) noexcept;
  detail::SocketWrite send(detail::SocketEnd& end, std::string_view message, Opcode opcode) noexcept;
  bool try_send(detail::SocketEnd& end, std::string_view message, Opcode opcode) noexcept;
  void close(detail::SocketEnd& end, unsigned code, std::string_view reason) noexcept;
  /// The coroutine ends: the connection goes on without it, to its close.
  void leave(detail::SocketEnd& end, CloseCode code) noexcept;
  /// A message of a topic, for one subscriber: sent, dropped, or the subscriber is closed.
  void publish(detail::SocketEnd& end, Published& published) noexcept;
  /// Every subscriber has had it.
  void end_publish(Published& published) noexcept { published.compressed.clear(pool_); }

  const Counters& counters() const noexcept { return counters_; }

 private:
  // protocol.cpp: events and deadlines.
  void settle(net::Connection& connection) noexcept;
  void set_deadlines(net::Connection& connection) noexcept;
  /// Twice in write_idle_ms, because the first of two looks only learns what a slow peer has still to take.
  TimeNs next_write_check(const Session& session) const noexcept {
    return carrier_.now() + session.options->write_idle_ms * ns_per_ms / 2;
  }
  void end_of_stream(net::Connection& connection) noexcept;
  static bool is_full(net::Connection& connection) noexcept {
    return connection.output.bytes() >= session_of(connection).options->output_bytes;
  }
  void end_session(net::Connection& connection, CloseCode code, std::string_view reason) noexcept;
  void lose(net::Connection& connection) noexcept;
  void abort(net::Connection& connection, net::CloseReason reason) noexcept;
  void wake(detail::SocketEnd& end) noexcept;

  // read.cpp: from bytes to messages.
  struct Window {
    const char* data;
    std::size_t size;
    std::size_t at;
    std::size_t left() const noexcept { return size - at; }
  };
  enum class Step : std::uint8_t { again, wait };
  void process(net::Connection& connection, Window& window) noexcept;
  void process_input(net::Connection& connection) noexcept;
  Step read_frame(net::Connection& connection, Window& window) noexcept;
  Step read_control(net::Connection& connection, Window& window, const FrameHeader& header) noexcept;
  void begin_frame(net::Connection& connection, const FrameHeader& header) noexcept;
  void read_payload(net::Connection& connection, Window& window) noexcept;
  void end_message(net::Connection& connection) noexcept;
  bool expand(net::Connection& connection) noexcept;
  void on_close_frame(net::Connection& connection, std::string_view payload) noexcept;
  void keep_reason(detail::SocketEnd& end, std::string_view reason) noexcept;
  void fail(net::Connection& connection, CloseCode code) noexcept;

  // write.cpp: from messages to bytes.
  bool write_frame(net::Connection& connection, Opcode opcode, std::string_view payload,
                   bool compressed) noexcept;
  bool offer(detail::SocketEnd& end, Published& published) noexcept;
  bool write_message(net::Connection& connection, Published& published) noexcept;
  bool compress(Session& session, Published& published) noexcept;
  void write_close(net::Connection& connection, unsigned code, std::string_view reason) noexcept;
  Deflater* deflater_of(Session& session) noexcept;
  Inflater* inflater_of(Session& session) noexcept;

  net::Carrier& carrier_;
  mem::BlockPool& pool_;
  proto::Tasks& tasks_;
  std::array<std::unique_ptr<Deflater>, window_bits_max + 1>
      deflaters_;  ///< By window; made when first needed.
  std::unique_ptr<Inflater> inflater_;
  Counters counters_;
};

}  // namespace millrace::ws
