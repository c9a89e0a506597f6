#include "engine/net/chain.hpp"

#include <algorithm>
#include <cstring>

#include "engine/base/assert.hpp"

namespace millrace::net {

Chain::Node* Chain::add_node(mem::BlockPool& pool, std::size_t wanted) noexcept {
  const mem::Block block = pool.take(wanted);
  if (!block) return nullptr;
  Node* node = reinterpret_cast<Node*>(block.data);
  node->next = nullptr;
  node->block_bytes = block.capacity_bytes;
  node->capacity = block.capacity_bytes - static_cast<std::uint32_t>(sizeof(Node));
  node->begin = node->end = 0;
  if (tail_ == nullptr) {
    head_ = node;
    only_block_bytes_ = block.capacity_bytes;
  } else {
    tail_->next = node;
    only_block_bytes_ = 0;
  }
  tail_ = node;
  return node;
}

char* Chain::room_in_new_block(mem::BlockPool& pool, std::size_t size_bytes) noexcept {
  MR_ASSERT(size_bytes <= largest_room);
  Node* node = add_node(pool, std::max(size_bytes + sizeof(Node), first_block_bytes));
  return node == nullptr ? nullptr : node->bytes();
}

// What is left of the block is lent to the backend with the slice.
bool Chain::append_file(mem::BlockPool& pool, const FilePart& part) noexcept {
  MR_ASSERT(part.size_bytes != 0);
  Node* node = add_node(pool, first_block_bytes);
  if (node == nullptr) return false;
  node->capacity = only_block_bytes_ = 0;
  char* const room = node->bytes() + sizeof(FileInChain);
  const auto room_bytes = static_cast<std::size_t>(reinterpret_cast<char*>(node) + node->block_bytes - room);
  new (node->bytes()) FileInChain{.file = part.file,
                                  .unsent = {.descriptor = part.file.descriptor(),
                                             .offset = part.offset,
                                             .size_bytes = part.size_bytes,
                                             .room = {room, room_bytes}}};
  bytes_ += part.size_bytes;
  return true;
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
    only_block_bytes_ = other.only_block_bytes_;
  } else {
    tail_->next = other.head_;
    only_block_bytes_ = 0;
  }
  tail_ = other.tail_;
  bytes_ += other.bytes_;
  other.head_ = other.tail_ = nullptr;
  other.bytes_ = other.only_block_bytes_ = 0;
}

std::span<const iovec> Chain::gather() noexcept {
  FileInChain* file = nullptr;
  const std::span<const iovec> parts = gather(file);
  MR_ASSERT(file == nullptr);
  return parts;
}

std::span<const iovec> Chain::gather(FileInChain*& file) noexcept {
  MR_ASSERT(!empty());
  file = nullptr;
  iovec* parts = head_->parts;
  std::size_t count = 0;
  for (Node* node = head_; node != nullptr && count < parts_max; node = node->next) {
    if (node->end == node->begin) {
      if (node->is_file()) {
        file = &node->file();
        break;
      }
      continue;
    }
    parts[count++] = {node->bytes() + node->begin, node->end - node->begin};
  }
  return {parts, count};
}

std::span<const iovec> Chain::gather(std::size_t bytes_max) noexcept {
  MR_ASSERT(bytes_max != 0);
  MR_ASSERT(head_ != nullptr);
  FileInChain* behind = nullptr;
  const std::span<const iovec> all = gather(behind);
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
  if (node->is_file()) [[unlikely]]
    node->file().~FileInChain();
  head_ = node->next;
  only_block_bytes_ = 0;
  if (head_ == nullptr) tail_ = nullptr;
  pool.give({reinterpret_cast<char*>(node), node->block_bytes});
}

void Chain::consume_slowly(mem::BlockPool& pool, std::size_t size_bytes) noexcept {
  MR_ASSERT(size_bytes <= bytes_);
  bytes_ -= size_bytes;
  while (head_ != nullptr) {
    if (head_->is_file()) [[unlikely]] {
      io::FileSlice& unsent = head_->file().unsent;
      const std::uint64_t here = std::min<std::uint64_t>(size_bytes, unsent.size_bytes);
      unsent.offset += here;
      unsent.size_bytes -= here;
      size_bytes -= here;
      if (unsent.size_bytes != 0) break;
      drop_front(pool);
      continue;
    }
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
