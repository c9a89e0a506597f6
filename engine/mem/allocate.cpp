#include "engine/mem/allocate.hpp"

#include <mimalloc.h>

#include <atomic>
#include <cstdlib>

namespace millrace::mem {
namespace {

constexpr std::size_t alignment = 64;

std::atomic<std::uint64_t> allocation_count{0};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MR_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MR_SANITIZED
#endif
#endif

// A sanitizer sees what goes wrong in a block only when the block is its own.
#ifdef MR_SANITIZED
void* take(std::size_t size_bytes) noexcept {
  return std::aligned_alloc(alignment, (size_bytes + alignment - 1) / alignment * alignment);
}
void give(void* memory) noexcept { std::free(memory); }
#else
void* take(std::size_t size_bytes) noexcept { return mi_malloc_aligned(size_bytes, alignment); }
void give(void* memory) noexcept { mi_free(memory); }
#endif

}  // namespace

void* allocate(std::size_t size_bytes) noexcept {
  allocation_count.fetch_add(1, std::memory_order_relaxed);
  return take(size_bytes);
}

void release(void* memory) noexcept { give(memory); }

std::uint64_t allocations() noexcept { return allocation_count.load(std::memory_order_relaxed); }

}  // namespace millrace::mem
