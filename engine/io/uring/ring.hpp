// ring.hpp: one io_uring instance: taking submissions, entering the kernel, reading completions.
//
//   next_sqe() ... -> [Ring] -> enter() -> head()/tail()/at()/advance()
//
// Owner       the thread that opened it; the kernel refuses any other (SINGLE_ISSUER).
// Invariants  (1) submission entries are used from the first on in every batch, so that a turn
//                 touches the same few cache lines; the kernel's index array makes that possible.
//             (2) an entry is written again only after the kernel has taken it.
// When full   next_sqe() submits early and counts it.
#pragma once

#include <liburing.h>

#include <atomic>
#include <cstdint>

#include "engine/base/clock.hpp"

namespace millrace::io {

class Ring {
 public:
  Ring() = default;
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring();

  /// 0, or a positive errno. The numbers are clamped to what the kernel allows.
  int open(std::uint32_t queue_entries, std::uint32_t completion_entries) noexcept;

  /// An entry to fill. It is stale: fill all of it (the io_uring_prep functions do).
  io_uring_sqe& next_sqe() noexcept {
    if (queued_ == entries_) [[unlikely]]
      submit_early();
    ++submissions_;
    return ring_.sq.sqes[queued_++];
  }
  std::uint32_t index_of(const io_uring_sqe& sqe) const noexcept {
    return static_cast<std::uint32_t>(&sqe - ring_.sq.sqes);
  }
  std::uint32_t entries() const noexcept { return entries_; }
  std::uint32_t queued() const noexcept { return queued_; }

  /// One system call: submits everything queued and, where `wait_one`, waits for a completion or the
  /// deadline. The reason for coming back is not told: look at the completions and the clock.
  void enter(bool wait_one, TimeNs deadline) noexcept;

  std::uint32_t head() const noexcept { return *ring_.cq.khead; }
  std::uint32_t tail() const noexcept {
    return std::atomic_ref<unsigned>(*ring_.cq.ktail).load(std::memory_order_acquire);
  }
  const io_uring_cqe& at(std::uint32_t position) const noexcept {
    return ring_.cq.cqes[position & completion_mask_];
  }
  /// Hands every completion before `head` back to the kernel.
  void advance(std::uint32_t head) noexcept {
    std::atomic_ref<unsigned>(*ring_.cq.khead).store(head, std::memory_order_release);
  }

  /// Times the completion queue ran over (the kernel keeps the rest aside until there is room), and
  /// completions it lost because it had no memory to keep them.
  std::uint64_t overflows() const noexcept { return overflows_; }
  std::uint64_t stalls() const noexcept { return stalls_; }
  std::uint64_t submissions() const noexcept { return submissions_; }
  std::uint64_t enters() const noexcept { return enters_; }
  bool absolute_waits() const noexcept { return absolute_waits_; }
  bool registered() const noexcept { return registered_; }
  io_uring& raw() noexcept { return ring_; }

 private:
  void publish() noexcept;
  void submit_early() noexcept;
  void call(unsigned wait_count, unsigned flags, void* argument, std::size_t argument_bytes) noexcept;

  io_uring ring_{};
  std::uint32_t entries_ = 0;
  std::uint32_t completion_mask_ = 0;
  std::uint32_t queued_ = 0;     ///< Entries filled since the kernel last took everything.
  std::uint32_t published_ = 0;  ///< Of them, those whose index the kernel can see.
  std::uint32_t lost_seen_ = 0;
  int enter_fd_ = -1;
  unsigned enter_flags_ = 0;
  bool open_ = false;
  bool registered_ = false;
  bool absolute_waits_ = false;
  bool overflowing_ = false;
  std::uint64_t overflows_ = 0;
  std::uint64_t stalls_ = 0;
  std::uint64_t submissions_ = 0;
  std::uint64_t enters_ = 0;
};

}  // namespace millrace::io
