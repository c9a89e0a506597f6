// sha1.hpp: the hash that an opening handshake is answered with. It proves that the server speaks
// WebSocket, and protects nothing: SHA-1 is as good as any here. Source: RFC 3174.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace millrace::ws {

/// Of at most 119 bytes: two blocks with their padding.
inline constexpr std::size_t sha1_input_bytes_max = 119;
std::array<std::uint8_t, 20> sha1(std::string_view text) noexcept;

}  // namespace millrace::ws
