// count_new.hpp: how often this program has called operator new; for what mem::allocations() does not see.
#pragma once

#include <cstddef>

namespace millrace::test {

std::size_t news() noexcept;

}  // namespace millrace::test
