// nibbles.hpp: a set of ASCII characters as two 16-byte tables, for PSHUFB.
#pragma once

#include <array>
#include <cstdint>

#include "engine/http/char_class.hpp"

namespace mr::http {
namespace {

/// by_low[low nibble] holds a bit for each high nibble under which the character is in the set.
constexpr std::array<std::uint8_t, 16> nibble_table(std::uint8_t bits, std::uint8_t extra) {
  std::array<std::uint8_t, 16> by_low{};
  for (unsigned byte = 0; byte < 128; ++byte) {
    if ((char_classes[byte] & bits) != 0 || (extra != 0 && byte == extra)) {
      by_low[byte & 15] = static_cast<std::uint8_t>(by_low[byte & 15] | (1u << (byte >> 4)));
    }
  }
  return by_low;
}

alignas(64) constexpr std::array<std::uint8_t, 16> token_by_low = nibble_table(char_class::token, 0);
alignas(64) constexpr std::array<std::uint8_t, 16> target_by_low = nibble_table(char_class::path, '?');
/// The bit of a high nibble; 8 to 15 (bytes above ASCII) have none.
alignas(64) constexpr std::array<std::uint8_t, 16> high_bit = {1, 2, 4, 8, 16, 32, 64, 128};

}  // namespace
}  // namespace mr::http
