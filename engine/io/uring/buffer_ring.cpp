#include "engine/io/uring/buffer_ring.hpp"

#include <sys/mman.h>

#include <bit>
#include <cerrno>

#include "engine/mem/block_pool.hpp"

namespace millrace::io {

int BufferRing::open(io_uring& ring, std::uint32_t buffers, std::uint32_t buffer_bytes,
                     bool& refused) noexcept {
  MR_ASSERT(std::has_single_bit(buffers));
  MR_ASSERT(buffers <= 32768);
  MR_ASSERT(buffer_bytes > 0);
  MR_ASSERT(entries_ == nullptr);
  refused = false;
  // The ring of entries comes first, because it must begin on a page.
  constexpr std::size_t page_bytes = 4096;
  const std::size_t entries_bytes = (buffers * sizeof(io_uring_buf) + page_bytes - 1) & ~(page_bytes - 1);
  mapped_bytes_ = entries_bytes + std::size_t{buffers} * buffer_bytes + mem::padding_bytes;
  void* mapping = mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return errno;
  entries_ = static_cast<io_uring_buf_ring*>(mapping);
  bytes_ = static_cast<char*>(mapping) + entries_bytes;
  buffer_bytes_ = buffer_bytes;
  mask_ = static_cast<std::uint16_t>(buffers - 1);

  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(entries_);
  registration.ring_entries = buffers;
  registration.bgid = group;
  if (const int failed = io_uring_register_buf_ring(&ring, &registration, 0); failed != 0) {
    refused = true;
    return -failed;
  }
  for (std::uint32_t id = 0; id < buffers; ++id)
    put(static_cast<std::uint16_t>(id), static_cast<std::uint16_t>(id));
  std::atomic_ref<std::uint16_t>(entries_->tail)
      .store(static_cast<std::uint16_t>(buffers), std::memory_order_release);
  return 0;
}

BufferRing::~BufferRing() {
  // The ring is closed before (UringBackend orders its members so), which ends the registration.
  if (entries_ != nullptr) munmap(entries_, mapped_bytes_);
}

}  // namespace millrace::io
