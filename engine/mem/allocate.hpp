// allocate.hpp: the engine's own doors to mimalloc; the only place that includes it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace millrace::mem {

/// `size_bytes` aligned to 64; null when there is no memory. Any thread.
void* allocate(std::size_t size_bytes) noexcept;
/// Takes back what allocate() gave; null is allowed. Any thread.
void release(void* memory) noexcept;

/// How often allocate() was called in this process; tests demand that it stands still in steady state.
std::uint64_t allocations() noexcept;

}  // namespace millrace::mem
