// core.hpp: one thread's whole server: its ring, connections, timers and tasks; shares nothing.
//
//   turn():  wait -> reap -> parse and handle -> timers -> resume tasks -> flush -> recycle
//
// Owner       one per thread, or per test; every call but request_stop() from that thread.
// Invariants  (1) nothing is handled inside a completion: reap only notes events.
//             (2) a provided buffer is back in the ring when the turn ends.
//             (3) a connection has at most one send and one receive in flight.
//             (4) a descriptor is closed only when no operation is under way on it.
// When full   connections_max: accepting pauses, and who came in meanwhile gets a 503.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/io/backend.hpp"
#include "engine/mem/block_pool.hpp"
#include "engine/mem/slab.hpp"
#include "engine/net/connection.hpp"
#include "engine/net/protocol.hpp"
#include "engine/net/timer_wheel.hpp"
#include "engine/net/transport.hpp"
#include "engine/proto/h1/protocol.hpp"
#include "engine/serve/scheduler.hpp"
#include "engine/serve/websockets.hpp"

namespace millrace::serve {

struct CoreOptions {
  h1::Options http;
  std::uint32_t connections_max = 100'000;
  std::uint64_t memory_bytes_max = 1ull << 30;
  TimeNs linger_ns = 2 * ns_per_s;
  TimeNs accept_retry_ns = 100 * ns_per_ms;  ///< Pause after EMFILE and the like.
};

/// Monotonic, but for the two *_now. Written by the core's thread alone, relaxed; any thread reads.
struct CoreCounters {
  using Count = std::atomic<std::uint64_t>;
  Count accepted{0}, connections_now{0}, connections_refused{0}, accept_errors{0};
  Count starvations{0}, stale_completions{0}, turns{0}, sends{0};
  Count requests{0}, refused{0}, timeouts{0}, cancelled{0}, memory_bytes_now{0}, overflows{0};
  Count sockets_opened{0}, socket_messages_received{0}, socket_messages_sent{0}, sockets_failed{0};
  Count published_dropped{0}, slow_subscribers_closed{0};
  Count bytes_received{0}, bytes_sent{0};
  std::array<Count, 6> replies{};  ///< By the first digit of their status.
  std::array<Count, net::close_reason_count> closed{};
};

class Core final : private net::Carrier {
 public:
  Core(const CoreOptions& options, io::IoBackend& backend, proto::RequestHandler& handler);
  /// done() must hold, or no connection was ever accepted.
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  /// Accepts from `listener` from the next turn on; the core closes it in the end.
  /// transports  what its connections get; must outlive the core. Null: plain TCP.
  void listen(io::Descriptor listener, net::TransportFactory* transports = nullptr) noexcept;

  /// Plain listeners answer by this handler, which is synchronous and must outlive the core; those of TLS
  /// go on as before. Before listen().
  void redirect_plain(proto::RequestHandler& handler);

  /// What is published to topics goes to the hub's other cores too. Before listen().
  void join_hub(Hub& hub, std::size_t core) noexcept { websockets_.join_hub(hub, core, backend_); }

  /// One turn. Waits for something to happen until `deadline` at most.
  void turn(TimeNs deadline) noexcept;
  void run() noexcept {
    while (!done()) turn(time_never);
  }

  /// Stops accepting, finishes what is under way for at most `grace_ns`, then drops the rest. Any
  /// thread, any time; a later call may only shorten the grace.
  void request_stop(TimeNs grace_ns) noexcept;
  /// A stop was asked for, and nothing is left.
  bool done() const noexcept;

  const CoreCounters& counters() const noexcept { return counters_; }
  std::uint32_t connections() const noexcept { return connections_.live_count(); }
  Scheduler& scheduler() noexcept { return scheduler_; }
  const mem::BlockPool& pool() const noexcept { return pool_; }

 private:
  enum class EventKind : std::uint8_t { bytes, end, sent };
  struct Event {
    net::Connection* connection;
    std::uint32_t size;
    std::uint16_t buffer_id;
    EventKind kind;
  };
  struct Listener {
    io::Descriptor descriptor;
    net::TransportFactory* transports;
    bool armed = false;
    bool stopping = false;  ///< Its cancellation was asked for.
  };

  // reap.cpp: completions become events.
  void reap(std::size_t count) noexcept;
  void on_accept(const io::Completion& done) noexcept;
  void on_recv(const io::Completion& done) noexcept;
  void on_send(const io::Completion& done) noexcept;
  void on_hangup(const io::Completion& done) noexcept;
  net::Connection* find(io::Token token) noexcept;

  // core.cpp: the turn.
  void handle_events() noexcept;
  void fire(net::Timer& timer) noexcept;
  void recycle() noexcept;
  void publish() noexcept;
  void publish_sockets(const ws::Counters& sockets) noexcept;

  // connections.cpp: their life.
  void open(io::Descriptor descriptor, net::TransportFactory* transports) noexcept;
  void flush(net::Connection& connection) noexcept;
  void begin_send(net::Connection& connection) noexcept;
  void begin_send_file(net::Connection& connection, std::span<const iovec> parts,
                       net::FileInChain& file) noexcept;
  void begin_receive(net::Connection& connection) noexcept;
  bool was_delivered(net::Connection& connection) noexcept;
  void begin_linger(net::Connection& connection) noexcept;
  void close(net::Connection& connection, net::CloseReason reason) noexcept;
  void operation_ended(net::Connection& connection) noexcept;
  void destroy(net::Connection& connection) noexcept;
  io::Token token_of(io::Op op, const net::Connection& connection) const noexcept;

  // accepting.cpp
  void arm_accept(std::size_t index) noexcept;
  void pause_accept() noexcept;
  void resume_accept() noexcept;
  void begin_stop() noexcept;

  // net::Carrier
  void flush_later(net::Connection& connection) noexcept override;
  void start_timer(net::Connection& connection, TimeNs deadline) noexcept override;
  void hold_reading(net::Connection& connection, bool hold) noexcept override;
  bool peer_takes(net::Connection& connection) noexcept override;
  void watch_hangup(net::Connection& connection) noexcept override;
  void finish(net::Connection& connection, net::CloseReason reason) noexcept override;
  void abort(net::Connection& connection, net::CloseReason reason) noexcept override;
  bool sends_files(net::Connection& connection) noexcept override;
  io::KernelTls* kernel_tls() noexcept override { return backend_.kernel_tls(); }

  static constexpr std::size_t completions_max = 1024;  ///< Reaped in one turn.
  static constexpr std::uint32_t refused_slots = 1024;  ///< Connections beyond the maximum, for their 503.

  CoreOptions options_;
  io::IoBackend& backend_;
  mem::BlockPool pool_;
  net::TimerWheel wheel_;
  Scheduler scheduler_;
  h1::Protocol http_;
  std::optional<h1::Protocol> redirecting_;  ///< Of plain connections, where redirect_plain() was called.
  WebSockets websockets_;
  mem::Slab<net::Connection> connections_;
  List<net::Connection, net::FlushTag> flush_;
  std::vector<Listener> listeners_;
  net::Timer accept_retry_{net::TimerKind::accept_retry};
  net::Timer stop_timer_{net::TimerKind::core};
  bool accept_paused_ = false;
  bool woken_ = false;  ///< In this turn, by another thread.
  bool stopping_ = false;
  std::atomic<TimeNs> stop_grace_{time_never};

  std::unique_ptr<io::Completion[]> completions_;
  std::unique_ptr<Event[]> events_;
  std::size_t event_count_ = 0;
  std::unique_ptr<std::uint16_t[]> returned_;  ///< Buffers to give back at the end of the turn.
  std::size_t returned_count_ = 0;
  std::unique_ptr<std::uint32_t[]> starved_;  ///< Slots that wait for buffers.
  std::size_t starved_count_ = 0;
  std::uint64_t bytes_received_ = 0;
  std::uint64_t bytes_sent_ = 0;
  CoreCounters counters_;
};

}  // namespace millrace::serve
