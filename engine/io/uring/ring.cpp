#include "engine/io/uring/ring.hpp"

#include <cerrno>

#include "engine/base/assert.hpp"
#include "engine/io/system.hpp"
#include "engine/io/uring/abi.hpp"

namespace millrace::io {
namespace {

__kernel_timespec timespec_of(TimeNs time) noexcept {
  return {.tv_sec = static_cast<long long>(time / ns_per_s),
          .tv_nsec = static_cast<long long>(time % ns_per_s)};
}

}  // namespace

Ring::~Ring() {
  if (open_) io_uring_queue_exit(&ring_);
}

int Ring::open(std::uint32_t queue_entries, std::uint32_t completion_entries) noexcept {
  MR_ASSERT(!open_);
  io_uring_params parameters{};
  parameters.flags = abi::ring_flags;
  parameters.cq_entries = completion_entries;
  const int failed = io_uring_queue_init_params(queue_entries, &ring_, &parameters);
  if (failed < 0) return -failed;
  open_ = true;
  entries_ = parameters.sq_entries;
  completion_mask_ = parameters.cq_entries - 1;
  absolute_waits_ = (parameters.features & abi::feature_min_timeout) != 0;
  // A registered ring saves the kernel the look-up and the reference count of the descriptor.
  registered_ = io_uring_register_ring_fd(&ring_) == 1;
  enter_fd_ = registered_ ? ring_.enter_ring_fd : ring_.ring_fd;
  enter_flags_ = registered_ ? IORING_ENTER_REGISTERED_RING : 0;
  return 0;
}

void Ring::publish() noexcept {
  unsigned tail = *ring_.sq.ktail;
  const unsigned mask = entries_ - 1;
  for (; published_ != queued_; ++published_, ++tail) ring_.sq.array[tail & mask] = published_;
  std::atomic_ref<unsigned>(*ring_.sq.ktail).store(tail, std::memory_order_release);
}

void Ring::call(unsigned wait_count, unsigned flags, void* argument, std::size_t argument_bytes) noexcept {
  if (published_ != queued_) publish();
  const unsigned head = std::atomic_ref<unsigned>(*ring_.sq.khead).load(std::memory_order_acquire);
  const unsigned to_submit = *ring_.sq.ktail - head;
  ++enters_;
  const int result = io_uring_enter2(static_cast<unsigned>(enter_fd_), to_submit, wait_count,
                                     flags | enter_flags_, static_cast<sigset_t*>(argument), argument_bytes);
  // EBUSY and EAGAIN leave entries for the next call; EBADR reports completions that were lost.
  MR_ASSERT(result >= 0 || result == -ETIME || result == -EINTR || result == -EAGAIN || result == -EBUSY ||
            result == -EBADR);
  const unsigned taken = std::atomic_ref<unsigned>(*ring_.sq.khead).load(std::memory_order_acquire);
  if (taken == *ring_.sq.ktail) [[likely]]
    queued_ = published_ = 0;
  if (std::atomic_ref<unsigned>(*ring_.sq.kflags).load(std::memory_order_relaxed) & IORING_SQ_CQ_OVERFLOW)
      [[unlikely]] {
    if (!overflowing_) ++overflows_;
    overflowing_ = true;
  } else {
    overflowing_ = false;
  }
  if (const unsigned lost = *ring_.cq.koverflow; lost != lost_seen_) [[unlikely]] {
    overflows_ += lost - lost_seen_;
    lost_seen_ = lost;
  }
}

void Ring::enter(bool wait_one, TimeNs deadline) noexcept {
  // GETEVENTS also without waiting: DEFER_TASKRUN prepares completions only when asked to.
  if (!wait_one || deadline == time_never) return call(wait_one, IORING_ENTER_GETEVENTS, nullptr, 0);
  unsigned flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
  __kernel_timespec until;
  if (absolute_waits_) {
    until = timespec_of(deadline);
    flags |= abi::enter_abs_timer;
  } else {
    const TimeNs now = monotonic_now();
    until = timespec_of(deadline > now ? deadline - now : 0);
  }
  io_uring_getevents_arg argument{};
  argument.ts = reinterpret_cast<std::uintptr_t>(&until);
  call(1, flags, &argument, sizeof argument);
}

void Ring::submit_early() noexcept {
  ++stalls_;
  while (queued_ != 0) call(0, 0, nullptr, 0);
}

}  // namespace millrace::io
