// fault_plan.hpp: what goes wrong in a simulated world, and how often.
#pragma once

#include <cstdint>

#include "engine/base/clock.hpp"
#include "engine/io/sim/random.hpp"

namespace millrace::io::sim {

/// Chances are out of 1000. The default is a world without faults and without delays.
struct FaultPlan {
  std::uint32_t short_receive = 0;    ///< A receive takes only a part of what is there.
  std::uint32_t short_send = 0;       ///< A send takes only a part of what fits.
  std::uint32_t split_write = 0;      ///< What one end wrote arrives in pieces.
  std::uint32_t late_completion = 0;  ///< A completion comes late, and so after others.
  std::uint32_t no_buffers = 0;       ///< ENOBUFS although buffers are free.
  std::uint32_t multishot_end = 0;    ///< A multishot operation ends with a good completion.
  std::uint32_t hangup_end = 0;       ///< A hangup watch ends with -EAGAIN, having seen nothing.
  std::uint32_t accept_failure = 0;   ///< EMFILE although descriptors are free.
  std::uint32_t late_cancel = 0;      ///< A cancellation takes effect late, or too late.
  std::uint32_t partial_wait = 0;     ///< wait() returns fewer completions than there are.
  std::uint32_t overflow = 0;         ///< The completion queue runs over.
  std::uint32_t reset = 0;            ///< Of clients: resets the connection at some time.
  std::uint32_t slow_reader = 0;      ///< Of clients: reads slow_reader_bytes at a time.

  TimeNs latency_max_ns = 0;                ///< Of the network, each way.
  TimeNs delay_max_ns = 2 * ns_per_ms;      ///< Of late completions and cancellations.
  TimeNs reset_within_ns = 50 * ns_per_ms;  ///< After the connect.
  TimeNs slow_reader_every_ns = 5 * ns_per_ms;
  std::uint32_t slow_reader_bytes = 200;
  std::uint32_t send_buffer_bytes = 64 * 1024;  ///< What a socket takes before the peer reads.
  std::uint32_t descriptors_max = 1u << 20;     ///< Past it accepting fails with EMFILE.

  /// A plan whose every chance is drawn, from never to often.
  static FaultPlan drawn(Random& random) noexcept;
};

/// How often each fault was dealt, so that a test can show that it met them.
struct FaultCounts {
  std::uint64_t short_receives = 0;
  std::uint64_t short_sends = 0;
  std::uint64_t split_writes = 0;
  std::uint64_t late_completions = 0;
  std::uint64_t no_buffers = 0;  ///< Pretended ones; real_exhaustions are the others.
  std::uint64_t real_exhaustions = 0;
  std::uint64_t multishot_ends = 0;
  std::uint64_t hangup_ends = 0;
  std::uint64_t accept_failures = 0;
  std::uint64_t late_cancels = 0;
  std::uint64_t partial_waits = 0;
  std::uint64_t overflows = 0;
  std::uint64_t resets = 0;
  std::uint64_t blocked_sends = 0;
};

}  // namespace millrace::io::sim
