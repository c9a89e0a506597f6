// bytes.hpp: bytes that grow in a block of the core's pool: a message that is put together.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "engine/mem/block_pool.hpp"

namespace millrace::ws {

/// Gives its block back by clear(); a move leaves the source empty. Used by one core.
class Bytes {
 public:
  Bytes() = default;
  Bytes(Bytes&& other) noexcept
      : block_(std::exchange(other.block_, {})), size_(std::exchange(other.size_, 0)) {}
  Bytes& operator=(Bytes&& other) noexcept {
    std::swap(block_, other.block_);
    std::swap(size_, other.size_);
    return *this;
  }

  std::string_view view() const noexcept { return {block_.data, size_}; }
  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return block_.capacity_bytes; }

  /// Room for `more_bytes` behind what is there; null when the pool is full. It at least doubles, so a
  /// message that comes in small parts is copied a constant number of times.
  char* room(mem::BlockPool& pool, std::size_t more_bytes) noexcept {
    const std::size_t wanted = size_ + more_bytes;
    if (wanted > block_.capacity_bytes && !grow(pool, std::max(wanted, 2 * size_))) return nullptr;
    return block_.data + size_;
  }
  void commit(std::size_t more_bytes) noexcept { size_ += more_bytes; }
  void uncommit(std::size_t bytes) noexcept { size_ -= bytes; }
  /// Keeps the block for the next message.
  void rewind() noexcept { size_ = 0; }
  /// Hands block and bytes over: the block is the caller's to give back, if it is one.
  mem::Block release(std::string_view& bytes) noexcept {
    bytes = view();
    size_ = 0;
    return std::exchange(block_, {});
  }
  void clear(mem::BlockPool& pool) noexcept {
    if (block_) pool.give(block_);
    block_ = {};
    size_ = 0;
  }

 private:
  bool grow(mem::BlockPool& pool, std::size_t size_bytes) noexcept {
    const mem::Block larger = block_ ? pool.grow(block_, size_, size_bytes) : pool.take(size_bytes);
    if (!larger) return false;
    block_ = larger;
    return true;
  }

  mem::Block block_;
  std::size_t size_ = 0;
};

}  // namespace millrace::ws
