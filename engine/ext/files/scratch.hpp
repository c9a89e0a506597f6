// scratch.hpp: a buffer of the thread's, for what is written and copied before a handler returns.
#pragma once

#include <cstddef>
#include <span>

namespace millrace::files {

inline constexpr std::size_t scratch_bytes = 128 * 1024;

/// Made at the first use and kept; empty without memory.
std::span<char> scratch() noexcept;

}  // namespace millrace::files
