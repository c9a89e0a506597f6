// nibbles.hpp: a set of ASCII characters as two 16-byte tables, for PSHUFB.
#pragma once

#include <array>
#include <cstdint>

#include "engine/http/char_class.hpp"

namespace millrace::http {
namespace {

/// by_low[low nibble] holds a bit for each high nibble under which the character is in the set.
constexpr std::array<std::uint8_t, 16> nibble_table(std::uint8_t bits, std::uint8_t extra, std::uint8_t but) {
  std::array<std::uint8_t, 16> by_low{};
  for (unsigned byte = 0; byte < 128; ++byte) {
    if (byte != but && ((char_classes[byte] & bits) != 0 || (extra != 0 && byte == extra))) {
      by_low[byte & 15] = static_cast<std::uint8_t>(by_low[byte & 15] | (1u << (byte >> 4)));
    }
  }
  return by_low;
}

/// Every constant of a block, in memory: building one in a register takes more instructions than
/// loading it. Tables are there twice, for the two halves of a wide register.
struct BlockConstants {
  std::uint8_t token_by_low[32], plain_by_low[32], target_by_low[32];
  std::uint8_t high_bit[32];  ///< The bit of a high nibble; 8 to 15 (bytes above ASCII) have none.
  std::uint8_t low_nibble[32], last_control[32], del[32], cr[32], tab[32];
};
constexpr BlockConstants make_block_constants() {
  BlockConstants constants{};
  const auto token = nibble_table(char_class::token, 0, 0);
  const auto plain = nibble_table(char_class::path, 0, '%');
  const auto target = nibble_table(char_class::path, '?', 0);
  for (unsigned i = 0; i < 32; ++i) {
    constants.token_by_low[i] = token[i & 15];
    constants.plain_by_low[i] = plain[i & 15];
    constants.target_by_low[i] = target[i & 15];
    constants.high_bit[i] = static_cast<std::uint8_t>((i & 15) < 8 ? 1u << (i & 15) : 0);
    constants.low_nibble[i] = 15;
    constants.last_control[i] = 0x1f;
    constants.del[i] = 0x7f;
    constants.cr[i] = '\r';
    constants.tab[i] = '\t';
  }
  return constants;
}
alignas(64) inline constexpr BlockConstants constants_in_memory = make_block_constants();

}  // namespace
}  // namespace millrace::http
