// completion.hpp: what the backend tells the core, copied out of the kernel's ring.
#pragma once

#include <cstdint>

#include "engine/io/token.hpp"

namespace millrace::io {

struct Completion {
  Token token;
  std::int32_t result = 0;      ///< Bytes, a descriptor, or a negative errno.
  std::uint16_t buffer_id = 0;  ///< The provided buffer that holds the bytes; see has_buffer.
  bool has_buffer = false;      ///< The buffer is the core's until IoBackend::give_back().
  bool more = false;            ///< A multishot operation goes on; without it, arm it again.
};

}  // namespace millrace::io
