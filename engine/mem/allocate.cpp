#include "engine/mem/allocate.hpp"

#include <mimalloc.h>

#include <atomic>

namespace mr::mem {
namespace {

std::atomic<std::uint64_t> allocation_count{0};

}  // namespace

void* allocate(std::size_t size_bytes) noexcept {
  allocation_count.fetch_add(1, std::memory_order_relaxed);
  return mi_malloc_aligned(size_bytes, 64);
}

void release(void* memory) noexcept { mi_free(memory); }

std::uint64_t allocations() noexcept { return allocation_count.load(std::memory_order_relaxed); }

}  // namespace mr::mem
