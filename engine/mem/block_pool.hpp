// block_pool.hpp: a core's blocks of bytes, in powers of two, kept on free lists.
//
// Owner       one per Core; no locks, no atomics.
// Invariants  (1) bytes_used() <= bytes_max.
//             (2) every block has padding_bytes readable (not writable) bytes behind it, so that a
//                 vector kernel may load past the end.
// When full   take() gives a block of capacity 0; the caller answers 503 or stops reading.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace millrace::mem {

/// Readable bytes behind every block and every receive buffer.
inline constexpr std::size_t padding_bytes = 64;

/// A block on loan. Plain data: give() it back exactly once.
struct Block {
  char* data = nullptr;
  std::uint32_t capacity_bytes = 0;
  explicit operator bool() const noexcept { return capacity_bytes != 0; }
};

class BlockPool {
 public:
  static constexpr std::size_t smallest_bytes = 256;
  static constexpr std::size_t largest_pooled_bytes = 1 << 20;
  static constexpr std::size_t largest_bytes = std::size_t{1} << 31;  ///< What a Block's capacity can tell.

  /// bytes_max: largest sum of blocks on loan, in bytes.
  explicit BlockPool(std::uint64_t bytes_max) noexcept : bytes_max_(bytes_max) {}
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  /// Every block must have come back.
  ~BlockPool();

  /// A block of at least `size_bytes` (rounded up to a power of two), contents undefined; an empty
  /// Block when the pool's limit or the machine's memory is reached, or it is over largest_bytes. O(1); allocates only when no
  /// block of the class is free.
  Block take(std::size_t size_bytes) noexcept;

  /// Gives a block back. Blocks over largest_pooled_bytes go back to the allocator.
  void give(Block block) noexcept;

  /// Copies `used_bytes` of `block` into one of at least `size_bytes`, and gives the old one back.
  /// Empty on failure; then the old block is untouched and still the caller's.
  Block grow(Block block, std::size_t used_bytes, std::size_t size_bytes) noexcept;

  std::uint64_t bytes_used() const noexcept { return bytes_used_; }
  std::uint64_t bytes_max() const noexcept { return bytes_max_; }

 private:
  static constexpr std::size_t classes = 13;  // 256 B to 1 MiB.
  struct FreeBlock {
    FreeBlock* next;
  };

  std::array<FreeBlock*, classes> free_{};
  std::uint64_t bytes_used_ = 0;
  std::uint64_t bytes_max_;
};

}  // namespace millrace::mem
