// network.hpp: the simulated network: a clock, what is to come, and connections as two byte streams.
// Knows nothing of operations; the backend looks at what has changed.
//
//   client --wire--> arrived | server          server | unread --> received | client
//
// Owner       one per World; one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <queue>
#include <span>
#include <string>
#include <vector>

#include "engine/io/backend.hpp"
#include "engine/io/sim/byte_queue.hpp"
#include "engine/io/sim/fault_plan.hpp"
#include "engine/io/sim/random.hpp"

namespace millrace::io::sim {

using ConnectionId = std::uint32_t;

/// Makes the records of one connection, as a kernel with TLS does.
class Sealer {
 public:
  virtual ~Sealer() = default;
  /// One record; type  of its content (RFC 8446 section 5.1). At most 16 KiB.
  virtual std::string seal(std::uint8_t type, std::string_view bytes) = 0;
};
/// From `keys`, a structure of linux/tls.h; null: not these.
using MakeSealer = std::function<std::unique_ptr<Sealer>(std::span<const char> keys)>;

/// One TCP-like connection; both ends of it.
struct Connection {
  Descriptor descriptor = no_descriptor;  ///< Of the server's end, while it is open.
  bool accepted = false;

  ByteQueue wire;     ///< Written by the client, not at the server yet.
  ByteQueue arrived;  ///< In the server's receive queue.
  ByteQueue unread;   ///< Sent by the server, not read by the client: the socket's send buffer.
  std::string received;

  bool client_ended = false;  ///< No more bytes from the client.
  bool end_arrived = false;   ///< The server has that after what arrived.
  bool client_closed = false;
  bool client_reads = true;
  bool slow_reader = false;
  bool server_ended = false;
  bool server_closed = false;
  bool end_received = false;  ///< The client saw the end of the server's bytes.
  bool reset_at_client = false;
  bool reset_at_server = false;
  bool tls_attached = false;
  std::unique_ptr<Sealer> sealer;  ///< Null: what is sent goes out as it is.
  bool error_pending = false;      ///< The server's next receive or send reports ECONNRESET.
  bool wire_moving = false;        ///< An event that moves bytes is due.
  bool unread_moving = false;
  std::function<void()> on_received;  ///< Called when bytes, the end or a reset reached the client.
};

class Network {
 public:
  Network(std::uint64_t seed, const FaultPlan& plan);

  // Time and what is to come.
  TimeNs now() const noexcept { return now_; }
  TimeNs next_event() const noexcept { return events_.empty() ? time_never : events_.top().time; }
  /// Moves the clock, which never goes back; nothing happens by itself.
  void set_now(TimeNs now) noexcept;
  /// Everything that is due by now.
  void run_due();
  /// Calls `action` at `time`, or as soon as time has passed it.
  void schedule(TimeNs time, std::function<void()> action);

  // The server's end.
  Descriptor listen();
  bool is_listener(Descriptor descriptor) const noexcept;
  bool connection_waits(Descriptor listener) const noexcept;
  Descriptor accept(Descriptor listener);
  /// Null where it is no open connection.
  Connection* find(Descriptor descriptor) noexcept;
  ConnectionId id_of(Descriptor descriptor) const noexcept {
    return endpoints_[index_of(descriptor)].connection;
  }
  void received(Connection& connection, std::size_t size_bytes) noexcept;
  std::size_t send_room(const Connection& connection) const noexcept;
  static constexpr std::uint8_t content = 23;  ///< Type of a record.
  void send(Descriptor descriptor, std::string_view bytes, std::uint8_t type = content);
  void shutdown_send(Descriptor descriptor);
  void close(Descriptor descriptor, bool reset);
  std::uint32_t open_descriptors() const noexcept { return open_; }

  /// The descriptors on which something may have changed since the last call.
  std::vector<Descriptor> take_changed();

  // The client's end.
  ConnectionId connect(Descriptor listener);
  void client_write(ConnectionId id, std::string_view bytes);
  void client_end(ConnectionId id);
  void client_close(ConnectionId id);
  void client_reset(ConnectionId id);
  void client_reads(ConnectionId id, bool reads);
  void client_listens(ConnectionId id, std::function<void()> on_received) {
    at(id).on_received = std::move(on_received);
  }
  Connection& at(ConnectionId id) noexcept { return connections_[id]; }

  Random& random() noexcept { return random_; }
  const FaultPlan& plan() const noexcept { return plan_; }
  FaultPlan& plan() noexcept { return plan_; }
  FaultCounts& faults() noexcept { return faults_; }

 private:
  enum class EventKind : std::uint8_t {
    arrive,
    to_server,
    to_client,
    reset_server,
    reset_client,
    reset_plan,
    call
  };
  struct Event {
    TimeNs time;
    std::uint64_t sequence;
    std::uint32_t subject;  ///< A connection, or an action.
    std::uint32_t detail;
    EventKind kind;
    bool operator>(const Event& other) const noexcept {
      return time != other.time ? time > other.time : sequence > other.sequence;
    }
  };
  struct Endpoint {
    bool open = false;
    bool listener = false;
    ConnectionId connection = 0;
    std::vector<ConnectionId> backlog;
  };

  std::size_t index_of(Descriptor descriptor) const noexcept;
  Descriptor new_descriptor();
  TimeNs latency();
  void push(EventKind kind, std::uint32_t subject, TimeNs time, std::uint32_t detail = 0);
  void changed(const Connection& connection);
  void move_wire(ConnectionId id);
  void move_unread(ConnectionId id);
  void wire_soon(ConnectionId id);
  void unread_soon(ConnectionId id);
  void arrive(ConnectionId id, Descriptor listener);
  void reset_arrives_at_server(Connection& connection);
  void reset_arrives_at_client(Connection& connection);
  static void tell_client(Connection& connection) {
    if (connection.on_received) connection.on_received();
  }
  std::size_t piece_of(std::size_t size_bytes);

  FaultPlan plan_;
  FaultCounts faults_;
  Random random_;
  TimeNs now_ = ns_per_s;
  std::uint64_t sequence_ = 0;
  std::uint32_t open_ = 0;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::deque<std::function<void()>> actions_;
  std::deque<Connection> connections_;
  std::vector<Endpoint> endpoints_;
  std::priority_queue<Descriptor, std::vector<Descriptor>, std::greater<>>
      free_;  ///< Lowest first, as the kernel.
  std::vector<Descriptor> changed_;
};

}  // namespace millrace::io::sim
