#include "engine/mem/block_pool.hpp"

#include <bit>
#include <cstring>

#include "engine/base/assert.hpp"
#include "engine/mem/allocate.hpp"

namespace millrace::mem {
namespace {

std::size_t rounded(std::size_t size_bytes) noexcept {
  return size_bytes <= BlockPool::smallest_bytes ? BlockPool::smallest_bytes : std::bit_ceil(size_bytes);
}

std::size_t class_of(std::size_t capacity_bytes) noexcept {
  return static_cast<std::size_t>(std::countr_zero(capacity_bytes)) -
         static_cast<std::size_t>(std::countr_zero(BlockPool::smallest_bytes));
}

}  // namespace

BlockPool::~BlockPool() {
  MR_ASSERT(bytes_used_ == 0);
  for (FreeBlock* head : free_) {
    while (head != nullptr) {
      FreeBlock* next = head->next;
      release(head);
      head = next;
    }
  }
}

Block BlockPool::take(std::size_t size_bytes) noexcept {
  if (size_bytes > largest_bytes) [[unlikely]]
    return {};
  const std::size_t capacity = rounded(size_bytes);
  if (capacity > bytes_max_ - bytes_used_) [[unlikely]]
    return {};
  void* memory = nullptr;
  if (capacity <= largest_pooled_bytes) {
    FreeBlock*& head = free_[class_of(capacity)];
    if (head != nullptr) [[likely]] {
      memory = head;
      head = head->next;
    }
  }
  if (memory == nullptr) [[unlikely]]
    memory = allocate(capacity + padding_bytes);
  if (memory == nullptr) [[unlikely]]
    return {};
  bytes_used_ += capacity;
  return {static_cast<char*>(memory), static_cast<std::uint32_t>(capacity)};
}

void BlockPool::give(Block block) noexcept {
  MR_ASSERT(block.data != nullptr);
  // A power of two. Not by std::has_single_bit, which calls the compiler's library to count all bits.
  MR_ASSERT((block.capacity_bytes & (block.capacity_bytes - 1)) == 0);
  MR_ASSERT(bytes_used_ >= block.capacity_bytes);
  bytes_used_ -= block.capacity_bytes;
  if (block.capacity_bytes > largest_pooled_bytes) return release(block.data);
  FreeBlock* node = reinterpret_cast<FreeBlock*>(block.data);
  FreeBlock*& head = free_[class_of(block.capacity_bytes)];
  node->next = head;
  head = node;
}

Block BlockPool::grow(Block block, std::size_t used_bytes, std::size_t size_bytes) noexcept {
  MR_ASSERT(used_bytes <= block.capacity_bytes);
  MR_ASSERT(used_bytes <= size_bytes);
  const Block larger = take(size_bytes);
  if (!larger) return {};
  if (used_bytes != 0) std::memcpy(larger.data, block.data, used_bytes);
  if (block) give(block);
  return larger;
}

}  // namespace millrace::mem
