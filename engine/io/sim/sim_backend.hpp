// sim_backend.hpp: IoBackend on a simulated network and a virtual clock, with seeded faults.
//
//   Core -> [SimBackend] <-> Network <-> Client (the test)
//
// wait() never blocks: where nothing is due it moves the clock to what comes next, or to the deadline.
// It asserts the caller's side of the contract: no close() with operations under way, one operation of
// a kind on a descriptor, tokens that can be told apart, buffers given back once, and bytes, parts and
// buffers left alone while they are lent.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "engine/io/backend.hpp"
#include "engine/io/sim/buffer_pool.hpp"
#include "engine/io/sim/network.hpp"
#include "engine/io/sim/operations.hpp"

namespace millrace::io::sim {

class SimBackend final : public IoBackend, public KernelTls {
 public:
  /// The network must outlive it. One backend a network.
  SimBackend(Network& network, const BackendOptions& options);

  void accept(Token token, Descriptor listener) noexcept override;
  void recv(Token token, Descriptor descriptor) noexcept override;
  void send(Token token, Descriptor descriptor, std::span<const iovec> parts) noexcept override;
  void send_file(Token token, Descriptor descriptor, std::span<const iovec> parts,
                 FileSlice& file) noexcept override;
  void send_alert(Token token, Descriptor descriptor, std::span<const iovec> parts) noexcept override;
  KernelTls* kernel_tls() noexcept override { return make_sealer_ ? this : nullptr; }
  bool attach(Descriptor descriptor) noexcept override;
  bool seal(Descriptor descriptor, std::span<const char> keys) noexcept override;
  void hangup(Token token, Descriptor descriptor) noexcept override;
  void cancel(Token token) noexcept override;
  void shutdown_send(Descriptor descriptor) noexcept override;
  void close(Descriptor descriptor, bool reset) noexcept override;
  std::size_t wait(std::span<Completion> out, TimeNs deadline) noexcept override;
  void wake() noexcept override { woken_.store(true, std::memory_order_release); }
  TimeNs now() noexcept override { return network_.now(); }
  char* buffer(std::uint16_t buffer_id) noexcept override { return buffers_.at(buffer_id); }
  std::uint32_t buffer_bytes() const noexcept override { return buffers_.buffer_bytes(); }
  std::uint32_t buffers() const noexcept override { return buffers_.count(); }
  void give_back(std::span<const std::uint16_t> buffer_ids) noexcept override {
    buffers_.give_back(buffer_ids);
  }
  bool peer_address(Descriptor descriptor, sockaddr_storage& out) noexcept override;
  std::size_t unacknowledged_bytes(Descriptor descriptor) noexcept override;
  const BackendStats& stats() const noexcept override { return stats_; }

  /// Everything that wait() told so far, in one number: equal for equal runs of one seed.
  std::uint64_t trace_hash() const noexcept { return trace_hash_; }
  /// A line for each submission, completion and close from now on; null: none.
  void write_trace(std::string* out) noexcept { trace_ = out; }
  /// From now on this kernel has TLS.
  void set_sealers(MakeSealer make) { make_sealer_ = std::move(make); }
  /// Operations whose last completion did not come out of wait() yet.
  std::size_t operations_under_way() const noexcept { return operations_.count(); }
  std::uint32_t buffers_free() const noexcept { return buffers_.free_count(); }

 private:
  struct Due {
    TimeNs time;
    std::uint64_t sequence;
    Completion completion;
    bool operator>(const Due& other) const noexcept {
      return time != other.time ? time > other.time : sequence > other.sequence;
    }
  };
  struct Cancel {
    TimeNs time;
    Token token;
    std::uint64_t serial;
  };

  void begin_send(Token token, Descriptor descriptor, std::span<const iovec> parts, bool alert) noexcept;
  void submit(Operation& operation) noexcept;
  void count_submission() noexcept;
  void apply_submissions() noexcept;
  void apply_cancels() noexcept;
  void pump_changed() noexcept;
  void pump(Descriptor descriptor) noexcept;
  void pump_accept(Operation& operation) noexcept;
  void pump_recv(Operation& operation, Connection& connection) noexcept;
  void pump_send(Operation& operation, Connection& connection) noexcept;
  void pump_file(Operation& operation, Connection& connection) noexcept;
  void pump_hangup(Operation& operation, Connection& connection) noexcept;
  void complete(Operation& operation, Completion completion) noexcept;
  void end(Operation& operation, std::int32_t result) noexcept;
  bool goes_on(Operation& operation) noexcept;
  void post_due() noexcept;
  std::size_t deliver(std::span<Completion> out) noexcept;
  void deliver_one(const Completion& completion) noexcept;
  TimeNs next_event() const noexcept;
  void note(const char* what, Token token, Descriptor descriptor, std::uint64_t content) const;
  void note(const Completion& completion);

  Network& network_;
  BufferPool buffers_;
  Operations operations_;
  std::vector<Token> submitted_;  ///< Op::none stands for a cancel, the next of cancelled_.
  std::deque<Token> cancelled_;
  std::vector<Cancel> cancels_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::deque<Completion> posted_;      ///< The completion queue.
  std::deque<Completion> overflowed_;  ///< What did not fit in it.
  std::uint32_t queue_entries_;
  std::uint32_t completion_entries_;
  std::uint32_t queued_ = 0;
  std::uint32_t idle_waits_ = 0;
  std::uint64_t sequence_ = 0;
  std::uint64_t trace_hash_ = 0;
  std::string* trace_ = nullptr;
  MakeSealer make_sealer_;
  std::atomic<bool> woken_{false};
  BackendStats stats_;
};

}  // namespace millrace::io::sim
