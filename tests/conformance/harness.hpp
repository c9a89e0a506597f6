// harness.hpp: what a conformance case needs of the world around a backend: listeners and peers, real
// sockets for the kernel's backends and simulated ones for the other.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/backend.hpp"

namespace millrace::conformance {

/// The other end of a connection.
class Peer {
 public:
  virtual ~Peer() = default;
  virtual void write(std::string_view bytes) = 0;
  virtual void half_close() = 0;
  virtual void reset() = 0;
  /// Without reading, the sender's buffer fills up.
  virtual void set_reading(bool reads) = 0;
  /// Everything read so far, after reading what is there now.
  virtual const std::string& received() = 0;
  virtual bool eof() = 0;
  virtual bool was_reset() = 0;
};

class Harness {
 public:
  virtual ~Harness() = default;
  virtual io::IoBackend& backend() = 0;
  /// Submissions and completions pass through queues that can be full, and are counted where they were.
  virtual bool has_queues() const = 0;
  virtual io::Descriptor listen() = 0;
  virtual std::unique_ptr<Peer> connect(io::Descriptor listener) = 0;
  /// While on, no new descriptor can be had; in force for accepts armed later.
  virtual void exhaust_descriptors(bool on) = 0;
  /// Runs `action` on another thread while wait() waits; for a clock that does not run, before it.
  virtual void from_another_thread(void (*action)(io::IoBackend&)) = 0;

  // What every case uses.

  /// The next completion; fails the case where none comes within seconds.
  io::Completion next();
  /// Every completion that comes until nothing has for a while.
  std::vector<io::Completion> rest();
  /// Turns until `done()`; fails the case where it takes seconds.
  template <class Done>
  void until(Done&& done) {
    const TimeNs limit = backend().now() + 5 * ns_per_s;
    while (!done()) {
      turn(5 * ns_per_ms);
      fail_after(limit);
    }
  }
  /// Completions that turns of until() have collected.
  std::vector<io::Completion> take();

  /// A connection of its own, accepted; nothing is armed on it.
  struct Pair {
    std::unique_ptr<Peer> peer;
    io::Descriptor descriptor;
  };
  Pair pair();
  void give_back(const io::Completion& done);
  /// The bytes of a receive, whose buffer is given back.
  std::string bytes_of(const io::Completion& done);
  std::string receive(const Pair& pair, io::Token token, std::size_t size_bytes);

 private:
  std::size_t turn(TimeNs span);
  void fail_after(TimeNs limit);
  std::vector<io::Completion> pending_;
  io::Descriptor pair_listener_ = io::no_descriptor;
};

std::unique_ptr<Harness> make_uring_harness(const io::BackendOptions& options);
std::unique_ptr<Harness> make_epoll_harness(const io::BackendOptions& options);
std::unique_ptr<Harness> make_sim_harness(const io::BackendOptions& options);

struct Case {
  const char* name;
  void (*run)(Harness&);
  io::BackendOptions options = {
      .queue_entries = 64, .completion_entries = 256, .buffers = 16, .buffer_bytes = 512};
};
extern const std::vector<Case> stream_cases, file_cases, ending_cases, limit_cases;

}  // namespace millrace::conformance
