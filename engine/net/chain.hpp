// chain.hpp: bytes on their way out, in blocks from the core's pool.
//
//   reply bytes -> room()/commit() or append() -> [Chain] -> gather() -> one vectored send -> consume()
//
// Owner       one per Connection (what is being sent), one per reply that waits for an earlier one.
//             append_file()      ------------------^ with it: a file's bytes stand in the chain by reference.
// Invariants  every block in the chain holds at least one unsent byte, the tail block excepted.
//             what was sent whole from one block is given back without reading the block, which the
//             kernel's work in between has pushed out of the nearest cache.
// When full   room() and append() say so when the pool has no block; nothing is half written then
//             that the caller cannot take back by closing the connection.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <string_view>

#include "engine/io/backend.hpp"
#include "engine/mem/block_pool.hpp"
#include "engine/net/file_part.hpp"

namespace millrace::net {

/// Bytes of a file on their way out.
struct FileInChain {
  FileRef file;
  io::FileSlice unsent;
};

class Chain {
 public:
  /// Parts of one vectored send; their table lies in the chain's first block.
  static constexpr std::size_t parts_max = 8;
  /// First block of a chain, and the largest one taken: a batch of small replies fits the first.
  static constexpr std::size_t first_block_bytes = 4096;
  static constexpr std::size_t largest_block_bytes = 64 * 1024;

  Chain() = default;
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;

  bool empty() const noexcept { return bytes_ == 0; }
  std::size_t bytes() const noexcept { return bytes_; }

  /// Contiguous writable room of at least `size_bytes` at the end; null when the pool is full.
  /// size_bytes <= largest_room. Follow with commit().
  char* room(mem::BlockPool& pool, std::size_t size_bytes) noexcept {
    if (tail_ != nullptr && tail_->capacity - tail_->end >= size_bytes) [[likely]] {
      return tail_->bytes() + tail_->end;
    }
    return room_in_new_block(pool, size_bytes);
  }
  void commit(std::size_t size_bytes) noexcept {
    tail_->end += static_cast<std::uint32_t>(size_bytes);
    bytes_ += size_bytes;
  }
  /// What room() gives without a new block: room_left() bytes, which are not 0.
  char* room_at_end() noexcept { return tail_->bytes() + tail_->end; }
  /// Bytes that room() would give without a new block.
  std::size_t room_left() const noexcept { return tail_ == nullptr ? 0 : tail_->capacity - tail_->end; }

  /// Copies `bytes` to the end; false when the pool is full (some of it may be in then).
  bool append(mem::BlockPool& pool, std::string_view bytes) noexcept;

  /// Puts bytes of a file at the end, without reading them; false when the pool is full. size_bytes > 0.
  bool append_file(mem::BlockPool& pool, const FilePart& part) noexcept;

  /// Moves everything of `other` behind this; `other` is empty afterwards. O(1).
  void take_over(Chain& other) noexcept;

  /// The parts of the next send, from the front; the table stays valid until consume() or clear().
  /// They end where a file begins: `file` is set to it if all before it is in the parts, which may be none
  /// then. The chain must not be empty. take_over(), room() and append() may go on meanwhile.
  std::span<const iovec> gather(FileInChain*& file) noexcept;
  /// The same, of a chain without files.
  std::span<const iovec> gather() noexcept;
  /// The same, of the first `bytes_max` at most, where no file is; bytes_max > 0.
  std::span<const iovec> gather(std::size_t bytes_max) noexcept;

  /// Drops `size_bytes` from the front, giving blocks back.
  void consume(mem::BlockPool& pool, std::size_t size_bytes) noexcept {
    if (size_bytes != bytes_ || only_block_bytes_ == 0) [[unlikely]]
      return consume_slowly(pool, size_bytes);
    pool.give({reinterpret_cast<char*>(head_), only_block_bytes_});
    head_ = tail_ = nullptr;
    bytes_ = only_block_bytes_ = 0;
  }
  void clear(mem::BlockPool& pool) noexcept;

 private:
  struct Node {
    Node* next;
    std::uint32_t block_bytes;  ///< Of the whole block, for the pool.
    std::uint32_t capacity;     ///< Of bytes(); 0: a FileInChain stands there.
    std::uint32_t begin;
    std::uint32_t end;
    iovec parts[parts_max];
    char* bytes() noexcept { return reinterpret_cast<char*>(this + 1); }
    bool is_file() const noexcept { return capacity == 0; }
    FileInChain& file() noexcept { return *std::launder(reinterpret_cast<FileInChain*>(bytes())); }
  };

 public:
  static constexpr std::size_t largest_room = largest_block_bytes - sizeof(Node);

 private:
  Node* add_node(mem::BlockPool& pool, std::size_t wanted) noexcept;
  char* room_in_new_block(mem::BlockPool& pool, std::size_t size_bytes) noexcept;
  void consume_slowly(mem::BlockPool& pool, std::size_t size_bytes) noexcept;
  void drop_front(mem::BlockPool& pool) noexcept;

  Node* head_ = nullptr;
  Node* tail_ = nullptr;
  std::size_t bytes_ = 0;
  std::uint32_t only_block_bytes_ = 0;  ///< Of the one block there is, which is not a file; else 0.
};

}  // namespace millrace::net
