// count_new.hpp: how often this program has called operator new; for what mem::allocations() does not see.
#pragma once

#include <cstddef>

namespace mr::test {

std::size_t news() noexcept;

}  // namespace mr::test
