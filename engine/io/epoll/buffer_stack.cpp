#include "engine/io/epoll/buffer_stack.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <new>

#include "engine/mem/block_pool.hpp"

namespace millrace::io {

int BufferStack::open(std::uint32_t buffers, std::uint32_t buffer_bytes) noexcept {
  MR_ASSERT(bytes_ == nullptr);
  MR_ASSERT(buffers > 0 && buffers <= 32768);
  MR_ASSERT(buffer_bytes > 0);
  free_.reset(new (std::nothrow) std::uint16_t[buffers]);
  if (free_ == nullptr) return ENOMEM;
  mapped_bytes_ = std::size_t{buffers} * buffer_bytes + mem::padding_bytes;
  void* mapping = mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return errno;
  bytes_ = static_cast<char*>(mapping);
  size_ = buffers;
  buffer_bytes_ = buffer_bytes;
  // Low numbers on top: a core that needs few buffers touches few pages.
  for (std::uint32_t id = buffers; id-- > 0;) free_[free_count_++] = static_cast<std::uint16_t>(id);
  return 0;
}

BufferStack::~BufferStack() {
  if (bytes_ != nullptr) munmap(bytes_, mapped_bytes_);
}

}  // namespace millrace::io
