#include "engine/net/chain.hpp"

#include <algorithm>
#include <cstring>

#include "engine/base/assert.hpp"

namespace millrace::net {

char* Chain::room_in_new_block(mem::BlockPool& pool, std::size_t size_bytes) noexcept {
  MR_ASSERT(size_bytes <= largest_room);
  const std::size_t wanted = std::max(size_bytes + sizeof(Node), first_block_bytes);
  const mem::Block block = pool.take(wanted);
  if (!block) return nullptr;
  Node* node = reinterpret_cast<Node*>(block.data);
  node->next = nullptr;
  node->block_bytes = block.capacity_bytes;
  node->capacity = block.capacity_bytes - static_cast<std::uint32_t>(sizeof(Node));
  node->begin = node->end = 0;
  if (tail_ == nullptr) {
    head_ = node;
  } else {
    tail_->next = node;
  }
  tail_ = node;
  return node->bytes();
}

bool Chain::append(mem::BlockPool& pool, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    std::size_t part = std::min(bytes.size(), room_left());
    if (part == 0) part = std::min(bytes.size(), largest_room);
    char* to = room(pool, part);
    if (to == nullptr) return false;
    std::memcpy(to, bytes.data(), part);
    commit(part);
    bytes.remove_prefix(part);
  }
  return true;
}

void Chain::take_over(Chain& other) noexcept {
  if (other.head_ == nullptr) return;
  if (tail_ == nullptr) {
    head_ = other.head_;
  } else {
    tail_->next = other.head_;
  }
  tail_ = other.tail_;
  bytes_ += other.bytes_;
  other.head_ = other.tail_ = nullptr;
  other.bytes_ = 0;
}

std::span<const iovec> Chain::gather() noexcept {
  MR_ASSERT(!empty());
  iovec* parts = head_->parts;
  std::size_t count = 0;
  for (Node* node = head_; node != nullptr && count < parts_max; node = node->next) {
    if (node->end == node->begin) continue;
    parts[count++] = {node->bytes() + node->begin, node->end - node->begin};
  }
  return {parts, count};
}

std::span<const iovec> Chain::gather(std::size_t bytes_max) noexcept {
  MR_ASSERT(bytes_max != 0);
  const std::span<const iovec> all = gather();
  iovec* parts = head_->parts;
  std::size_t count = 0;
  while (count < all.size() && bytes_max != 0) {
    parts[count].iov_len = std::min(parts[count].iov_len, bytes_max);
    bytes_max -= parts[count++].iov_len;
  }
  return all.first(count);
}

void Chain::drop_front(mem::BlockPool& pool) noexcept {
  Node* node = head_;
  head_ = node->next;
  if (head_ == nullptr) tail_ = nullptr;
  pool.give({reinterpret_cast<char*>(node), node->block_bytes});
}

void Chain::consume(mem::BlockPool& pool, std::size_t size_bytes) noexcept {
  MR_ASSERT(size_bytes <= bytes_);
  bytes_ -= size_bytes;
  while (head_ != nullptr) {
    const std::size_t here = std::min<std::size_t>(size_bytes, head_->end - head_->begin);
    head_->begin += static_cast<std::uint32_t>(here);
    size_bytes -= here;
    if (head_->begin != head_->end) break;
    drop_front(pool);
  }
  MR_ASSERT(size_bytes == 0);
}

void Chain::clear(mem::BlockPool& pool) noexcept {
  while (head_ != nullptr) drop_front(pool);
  bytes_ = 0;
}

}  // namespace millrace::net
