// buffer_ring.hpp: receive buffers that the kernel takes from by itself.
//
//   give_back() -> [BufferRing] -> kernel fills one -> Completion::buffer_id -> core -> give_back()
//
// Owner       one per backend. The memory is one mapping, with padding behind the last buffer.
// Invariants  a buffer is the kernel's or the core's, never both; at most size() are the kernel's.
#pragma once

#include <liburing.h>

#include <atomic>
#include <cstdint>
#include <span>

#include "engine/base/assert.hpp"

namespace millrace::io {

class BufferRing {
 public:
  static constexpr std::uint16_t group = 0;

  BufferRing() = default;
  BufferRing(const BufferRing&) = delete;
  BufferRing& operator=(const BufferRing&) = delete;
  ~BufferRing();

  /// Maps `buffers` (a power of two, <= 32768) of `buffer_bytes` and gives them to the kernel.
  /// 0, or a positive errno; `refused` tells whether it came from registering them.
  int open(io_uring& ring, std::uint32_t buffers, std::uint32_t buffer_bytes, bool& refused) noexcept;

  char* at(std::uint16_t id) const noexcept {
    MR_ASSERT(id <= mask_);
    return bytes_ + std::size_t{id} * buffer_bytes_;
  }
  std::uint32_t size() const noexcept { return mask_ + 1u; }
  std::uint32_t buffer_bytes() const noexcept { return buffer_bytes_; }

  /// One store makes all of them visible.
  void give_back(std::span<const std::uint16_t> ids) noexcept {
    std::uint16_t tail = entries_->tail;
    for (const std::uint16_t id : ids) put(tail++, id);
    std::atomic_ref<std::uint16_t>(entries_->tail).store(tail, std::memory_order_release);
  }

 private:
  // The ring's tail lies in the unused last field of entry 0, which is therefore never written here.
  void put(std::uint16_t position, std::uint16_t id) noexcept {
    io_uring_buf& entry = entries_->bufs[position & mask_];
    entry.addr = reinterpret_cast<std::uintptr_t>(at(id));
    entry.len = buffer_bytes_;
    entry.bid = id;
  }

  io_uring_buf_ring* entries_ = nullptr;
  char* bytes_ = nullptr;
  std::size_t mapped_bytes_ = 0;
  std::uint32_t buffer_bytes_ = 0;
  std::uint16_t mask_ = 0;
};

}  // namespace millrace::io
