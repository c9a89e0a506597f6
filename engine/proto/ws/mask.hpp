// mask.hpp: takes the mask off what a client sent. Source: RFC 6455 section 5.3.
#pragma once

#include <cstddef>
#include <cstdint>

namespace millrace::ws {

/// Copies `size` bytes from `from` to `to` (the same place, or apart), each combined with its byte of the
/// mask. `position` is the place of the first one in its frame's payload. 32 bytes a step.
void unmask(char* to, const char* from, std::size_t size, std::uint32_t mask,
            std::uint64_t position) noexcept;

}  // namespace millrace::ws
