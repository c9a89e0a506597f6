// line_ring.hpp: whole lines from one core to the writer.
//
// Owner       shared by two threads: push() belongs to the core's, the rest to the writer's. No locks.
// When full   the line is dropped, and counted.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace millrace::log {

class LineRing {
 public:
  /// Rounded up to a power of two.
  explicit LineRing(std::size_t bytes)
      : mask_(std::bit_ceil(bytes) - 1), bytes_(std::make_unique<char[]>(mask_ + 1)) {}

  /// False: dropped. half_full: the writer should be woken.
  bool push(std::string_view line, bool& half_full) noexcept {
    const std::uint64_t head = head_.load(std::memory_order_relaxed);
    const std::uint64_t used = head - tail_.load(std::memory_order_acquire);
    const std::size_t capacity = mask_ + 1;
    half_full = used < capacity / 2 && used + line.size() >= capacity / 2;
    if (line.size() > capacity - used) {
      dropped_.store(dropped_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      return false;
    }
    const std::size_t at = head & mask_;
    const std::size_t first = std::min(line.size(), capacity - at);
    std::memcpy(bytes_.get() + at, line.data(), first);
    std::memcpy(bytes_.get(), line.data() + first, line.size() - first);
    head_.store(head + line.size(), std::memory_order_release);
    return true;
  }

  /// What is there, without a break where the ring begins anew: perhaps not all. Empty: nothing is.
  std::span<const char> readable() const noexcept {
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    const std::size_t size = static_cast<std::size_t>(head_.load(std::memory_order_acquire) - tail);
    const std::size_t at = tail & mask_;
    return {bytes_.get() + at, std::min(size, mask_ + 1 - at)};
  }
  /// Gives room back for the first `count` bytes of readable().
  void consume(std::size_t count) noexcept {
    tail_.store(tail_.load(std::memory_order_relaxed) + count, std::memory_order_release);
  }

  /// Any thread.
  std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

 private:
  alignas(64) std::atomic<std::uint64_t> head_{0};  // Written by the core,
  std::atomic<std::uint64_t> dropped_{0};
  std::size_t mask_;
  std::unique_ptr<char[]> bytes_;
  alignas(64) std::atomic<std::uint64_t> tail_{0};  // by the writer.
};

}  // namespace millrace::log
