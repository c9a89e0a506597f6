// outcome.hpp: what became of a request, for middleware that only counts or tells.
#pragma once

#include <cstdint>

namespace millrace {

struct Outcome {
  unsigned status = 0;           ///< 0: the client left before it was answered.
  std::uint64_t body_bytes = 0;  ///< Of content that was handed over to be sent; 0 for HEAD.
  std::uint64_t elapsed_ns = 0;  ///< Since the first middleware; 0 for what the engine refused itself.
};

}  // namespace millrace
