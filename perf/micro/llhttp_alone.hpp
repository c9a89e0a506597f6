// llhttp_alone.hpp: llhttp as it is meant to be used, the measure for the kernels.
#pragma once

#include <cstddef>

namespace bench {

/// Parses a complete head with callbacks that only note the spans; gives how many there were, 0 on a fault.
unsigned llhttp_alone(const char* data, std::size_t size);

}  // namespace bench
