// world.hpp: what a test holds: a simulated network, the backend for a core, and clients.
//
//   sim::World world(seed, plan);
//   Descriptor listener = world.listen();
//   Core core(world.backend(), listener);
//   sim::Client client = world.connect(listener);
//   client.write("GET / HTTP/1.1\r\n\r\n");
//   for (...) core.turn();
//   CHECK(client.received() == "...");
//
// Everything follows from the seed, the plan and the calls made: the same run gives the same trace.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/io/sim/network.hpp"
#include "engine/io/sim/sim_backend.hpp"

namespace millrace::io::sim {

/// A handle on the client's end of a connection; copyable, valid as long as its world.
/// Nothing it does reaches the server before the next wait().
class Client {
 public:
  Client() = default;
  Client(Network& network, ConnectionId id) noexcept : network_(&network), id_(id) {}

  /// Not after half_close() or close(). Dropped where the connection was reset.
  void write(std::string_view bytes) { network_->client_write(id_, bytes); }
  /// The server reads the end after what was written.
  void half_close() { network_->client_end(id_); }
  /// Also reads no more: bytes from the server are answered with a reset.
  void close() { network_->client_close(id_); }
  void reset() { network_->client_reset(id_); }
  /// Calls `action` when bytes, the end or a reset reached the client; it may use clients and schedule.
  void on_received(std::function<void()> action) { network_->client_listens(id_, std::move(action)); }
  /// Without reading, the server's send buffer fills up.
  void set_reading(bool reads) { network_->client_reads(id_, reads); }

  const std::string& received() const noexcept { return state().received; }
  std::string take() noexcept { return std::exchange(state().received, {}); }
  bool accepted() const noexcept { return state().accepted; }
  /// The client read the end of the server's bytes.
  bool eof() const noexcept { return state().end_received; }
  bool was_reset() const noexcept { return state().reset_at_client; }
  /// The server has closed its end.
  bool let_go() const noexcept { return state().server_closed; }
  /// No bytes can be written (any more).
  bool ended() const noexcept { return state().client_ended || state().reset_at_client; }
  ConnectionId id() const noexcept { return id_; }

 private:
  Connection& state() const noexcept { return network_->at(id_); }
  Network* network_ = nullptr;
  ConnectionId id_ = 0;
};

class World {
 public:
  explicit World(std::uint64_t seed, const FaultPlan& plan = {}, const BackendOptions& options = {})
      : network_(seed, plan), backend_(network_, options) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  SimBackend& backend() noexcept { return backend_; }
  Descriptor listen() { return network_.listen(); }
  Client connect(Descriptor listener) { return {network_, network_.connect(listener)}; }

  TimeNs now() const noexcept { return network_.now(); }
  /// Moves the clock; what is due by then happens in the next wait().
  void advance(TimeNs duration) noexcept { network_.set_now(network_.now() + duration); }
  /// Calls `action` out of the wait() that reaches the time; it may use clients and schedule more.
  void after(TimeNs delay, std::function<void()> action) {
    network_.schedule(network_.now() + delay, std::move(action));
  }

  /// Faults may be switched while it runs: `world.plan() = {}` lets everything come to its end.
  FaultPlan& plan() noexcept { return network_.plan(); }
  const FaultCounts& faults() noexcept { return network_.faults(); }
  Random& random() noexcept { return network_.random(); }
  std::uint64_t trace_hash() const noexcept { return backend_.trace_hash(); }
  /// Appends a line for all that the core asks of the kernel and is told by it; null: no more. For people,
  /// and to see that two runs of a seed are the same, byte for byte.
  void write_trace(std::string* out) noexcept { backend_.write_trace(out); }

  /// What a core that has stopped must have left: no descriptor, no operation, and every buffer back.
  std::uint32_t open_descriptors() const noexcept { return network_.open_descriptors(); }
  bool clean() const noexcept {
    return open_descriptors() == 0 && backend_.operations_under_way() == 0 &&
           backend_.buffers_free() == backend_.buffers();
  }

 private:
  Network network_;
  SimBackend backend_;
};

}  // namespace millrace::io::sim
