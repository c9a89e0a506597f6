// buffer_stack.hpp: receive buffers, the one given back last first: its bytes are still in the cache.
//
//   give_back() -> [BufferStack] -> recv(2) fills the top -> Completion::buffer_id -> core -> give_back()
//
// Owner       one per backend. The memory is one mapping, with padding behind the last buffer.
// Invariant   a buffer is on the stack or the core's, never both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "engine/base/assert.hpp"

namespace millrace::io {

class BufferStack {
 public:
  BufferStack() = default;
  BufferStack(const BufferStack&) = delete;
  BufferStack& operator=(const BufferStack&) = delete;
  ~BufferStack();

  /// Maps `buffers` (1 to 32768) of `buffer_bytes`. 0, or a positive errno.
  int open(std::uint32_t buffers, std::uint32_t buffer_bytes) noexcept;

  bool empty() const noexcept { return free_count_ == 0; }
  /// The one that pop() takes.
  std::uint16_t top() const noexcept {
    MR_ASSERT(free_count_ != 0);
    return free_[free_count_ - 1];
  }
  void pop() noexcept { --free_count_; }
  void give_back(std::span<const std::uint16_t> ids) noexcept {
    MR_ASSERT(ids.size() <= size_ - free_count_);
    for (const std::uint16_t id : ids) free_[free_count_++] = id;
  }

  char* at(std::uint16_t id) const noexcept {
    MR_ASSERT(id < size_);
    return bytes_ + std::size_t{id} * buffer_bytes_;
  }
  std::uint32_t size() const noexcept { return size_; }
  std::uint32_t buffer_bytes() const noexcept { return buffer_bytes_; }

 private:
  char* bytes_ = nullptr;
  std::unique_ptr<std::uint16_t[]> free_;
  std::size_t mapped_bytes_ = 0;
  std::uint32_t size_ = 0;
  std::uint32_t free_count_ = 0;
  std::uint32_t buffer_bytes_ = 0;
};

}  // namespace millrace::io
