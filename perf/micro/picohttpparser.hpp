// picohttpparser.hpp: picohttpparser alone on a complete head, as the library of h2o has it.
#pragma once

#include <cstddef>

namespace bench {

/// How many fields it found; 0 where it did not accept the head.
unsigned picohttpparser(const char* data, std::size_t size);

}  // namespace bench
