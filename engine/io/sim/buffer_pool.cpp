#include "engine/io/sim/buffer_pool.hpp"

#include <cstring>

#include "engine/base/assert.hpp"
#include "engine/mem/block_pool.hpp"

namespace millrace::io::sim {
namespace {

constexpr int spent_byte = 0xdb;

}  // namespace

BufferPool::BufferPool(std::uint32_t buffers, std::uint32_t buffer_bytes)
    : bytes_(std::size_t{buffers} * buffer_bytes + mem::padding_bytes, static_cast<char>(spent_byte)),
      holders_(buffers, Holder::kernel),
      filled_bytes_(buffers, 0),
      buffer_bytes_(buffer_bytes) {
  MR_ASSERT(buffers <= 32768);
  for (std::uint32_t id = 0; id < buffers; ++id) free_.push_back(static_cast<std::uint16_t>(id));
}

char* BufferPool::at(std::uint16_t id) noexcept {
  MR_ASSERT(id < count());
  return bytes_.data() + std::size_t{id} * buffer_bytes_;
}

std::uint16_t BufferPool::fill(std::string_view bytes) noexcept {
  MR_ASSERT(!free_.empty());
  MR_ASSERT(!bytes.empty() && bytes.size() <= buffer_bytes_);
  const std::uint16_t id = free_.front();
  free_.pop_front();
  holders_[id] = Holder::completion;
  filled_bytes_[id] = static_cast<std::uint32_t>(bytes.size());
  std::memcpy(at(id), bytes.data(), bytes.size());
  return id;
}

void BufferPool::hand_over(std::uint16_t id) noexcept {
  MR_ASSERT(holders_[id] == Holder::completion);
  holders_[id] = Holder::caller;
}

void BufferPool::give_back(std::span<const std::uint16_t> ids) noexcept {
  for (const std::uint16_t id : ids) {
    MR_ASSERT(id < count());
    MR_ASSERT(holders_[id] == Holder::caller);
    holders_[id] = Holder::kernel;
    std::memset(at(id), spent_byte, filled_bytes_[id]);
    free_.push_back(id);
  }
}

}  // namespace millrace::io::sim
