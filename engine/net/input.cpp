#include "engine/net/input.hpp"

#include <algorithm>
#include <cstring>

#include "engine/base/assert.hpp"

namespace millrace::net {

bool append_input(Input& input, mem::BlockPool& pool, const char* data, std::size_t size) noexcept {
  if (!input.block) {
    const mem::Block block = pool.take(size * 2);
    if (!block) return false;
    input = {block, 0, 0};
  } else if (input.end + size > input.block.capacity_bytes) {
    const std::size_t used = input.size();
    if (used + size > input.block.capacity_bytes / 2) {
      // A body's length is a promise of the peer's: grow with what came, not with what was said.
      const mem::Block larger = pool.take(std::max<std::size_t>((used + size) * 2, 1024));
      if (!larger) return false;
      std::memcpy(larger.data, input.data(), used);
      pool.give(input.block);
      input.block = larger;
    } else {
      std::memmove(input.block.data, input.data(), used);
    }
    input.begin = 0;
    input.end = static_cast<std::uint32_t>(used);
  }
  if (size != 0) std::memcpy(input.block.data + input.end, data, size);
  input.end += static_cast<std::uint32_t>(size);
  return true;
}

void consume_input(Input& input, mem::BlockPool& pool, std::size_t size) noexcept {
  MR_ASSERT(size <= input.size());
  input.begin += static_cast<std::uint32_t>(size);
  if (input.size() != 0) return;
  if (input.block) pool.give(input.block);
  input = {};
}

}  // namespace millrace::net
