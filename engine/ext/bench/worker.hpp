// worker.hpp: one thread of the load generator: its share of the connections, on a ring of its own.
//
//   [schedule] -> batch -> connection -> send .. receive -> AnswerReader -> histogram
//                              TLS: SecureStream -^     ^- or EchoReader, on a WebSocket
//
// Closed loop: a connection sends its next batch when all of the last one is answered; latency runs from
// the start of the batch. Open loop: request k is due at t0 + k / rate whatever the server does, and its
// latency runs from then, also while it waits for a connection: a server that stalls is not flattered by
// requests that were not sent meanwhile ("coordinated omission").
//
// Owner       its thread; stop() and the two counters may be used by any other.
// Invariants  a connection with unanswered requests is busy; busy_ counts them.
#pragma once

#include <sys/uio.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "engine/ext/bench/answer_reader.hpp"
#include "engine/ext/bench/echo_reader.hpp"
#include "engine/ext/bench/plan.hpp"
#include "engine/ext/bench/request_tape.hpp"
#include "engine/ext/bench/schedule.hpp"
#include "engine/ext/bench/secure.hpp"
#include "engine/ext/bench/tally.hpp"
#include "engine/io/backend.hpp"

namespace millrace::bench {

class Worker {
 public:
  /// index   of plan.threads; it takes its share of connections, count and rate. The plan stays alive.
  /// secure  where the plan has TLS, else null; stays alive.
  Worker(const Plan& plan, const Endpoint& endpoint, std::uint32_t index, const SecureContext* secure);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  /// Until the schedule is over and everything sent is answered or given up. On the backend's thread; the
  /// backend must end before the worker does.
  void run(io::IoBackend& backend);

  /// Ends run() within a tenth of a second; what is unanswered then is no fault. Any thread.
  void stop() noexcept { stopped_.store(true, std::memory_order_relaxed); }
  std::uint64_t answered() const noexcept { return answered_.load(std::memory_order_relaxed); }
  std::uint64_t faults() const noexcept { return faults_.load(std::memory_order_relaxed); }

  /// After run().
  const Tally& tally() const noexcept { return tally_; }

 private:
  static constexpr std::size_t plain_bytes = 32 * 1024;  ///< Decrypted at once.

  /// What a connection has that is not plain HTTP: bytes that are not on the tape, and who makes them.
  struct Extra {
    std::unique_ptr<SecureStream> tls;  ///< Null: plain.
    std::unique_ptr<EchoReader> echo;   ///< Null: HTTP.
    std::string sending;                ///< Under way.
    std::string queued;                 ///< To be sent then.
  };

  struct Peer {
    explicit Peer(AnswerReader made) noexcept : reader(std::move(made)) {}
    AnswerReader reader;
    std::unique_ptr<Extra> extra;
    iovec part{};                ///< What is being sent.
    iovec next_part{};           ///< What is to be sent then.
    Batch batch;                 ///< Empty: nothing to do.
    std::uint32_t answered = 0;  ///< Of the batch.
    std::uint32_t generation = 0;
    io::Descriptor descriptor = io::no_descriptor;
    std::int32_t send_errno = 0;
    TimeNs heard = 0;  ///< When the batch was sent, or bytes last came.
    bool receiving = false;
    bool sending = false;
    bool leaving = false;  ///< Is to be closed once its operations have ended.
    bool delayed = false;  ///< Begins again with the next tick: the server was not there a moment ago.

    std::uint32_t left() const noexcept { return batch.count - answered; }
  };

  void turn();
  void reap(std::size_t count);
  void sent(std::uint32_t index, std::int32_t result);
  void received(std::uint32_t index, const io::Completion& done);
  void consume(std::uint32_t index, char* bytes, std::size_t size);
  void consume_records(std::uint32_t index, std::string_view records);
  void consume_plain(std::uint32_t index, char* bytes, std::size_t size);
  void consume_echoes(std::uint32_t index, const char* bytes, std::size_t size);
  bool take_step(std::uint32_t index, EchoTaken& taken);
  bool take_answer(Peer& peer, const Taken& taken);
  void batch_answered(std::uint32_t index);
  void receive_ended(std::uint32_t index, std::int32_t result);

  void feed(std::uint32_t index);
  void send_batch(std::uint32_t index);
  void put(std::uint32_t index, std::string_view bytes);
  static void queue(Extra& extra, const std::string& bytes);
  void flush(std::uint32_t index);
  void send_part(std::uint32_t index);
  bool connect(std::uint32_t index);
  void arm(std::uint32_t index);
  void leave(std::uint32_t index);
  void close_when_quiet(std::uint32_t index);
  void give_up(std::uint32_t index, std::string sentence);
  void tick();
  TimeNs wake_time() const noexcept;
  io::Token token(io::Op op, std::uint32_t index) const noexcept {
    return {op, peers_[index].generation, index};
  }

  const Plan& plan_;
  const Endpoint& endpoint_;
  std::vector<char> plain_;  ///< TLS: what was decrypted.
  io::IoBackend* backend_ = nullptr;
  RequestTape tape_;
  Schedule schedule_;
  std::vector<LearnedHead> learned_;  ///< By kind of request.
  std::vector<Peer> peers_;
  std::deque<std::uint32_t> idle_;    ///< Open loop: connections that wait for a request, longest first.
  std::vector<std::uint32_t> rearm_;  ///< Receives that found no buffer.
  std::vector<std::uint16_t> used_buffers_;
  std::vector<io::Completion> completions_;
  Tally tally_;
  TimeNs now_ = 0;
  TimeNs next_tick_ = 0;
  std::uint32_t busy_ = 0;
  std::atomic<bool> stopped_{false};
  std::atomic<std::uint64_t> answered_{0};
  std::atomic<std::uint64_t> faults_{0};
};

}  // namespace millrace::bench
