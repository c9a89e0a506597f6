#include "engine/proto/ws/sha1.hpp"

#include <bit>
#include <cstring>

#include "engine/base/assert.hpp"

namespace millrace::ws {
namespace {

constexpr std::size_t block_bytes = 64;
using State = std::array<std::uint32_t, 5>;

std::uint32_t read_word(const std::uint8_t* from) noexcept {
  return std::uint32_t{from[0]} << 24 | std::uint32_t{from[1]} << 16 | std::uint32_t{from[2]} << 8 | from[3];
}

void add_block(State& state, const std::uint8_t* block) noexcept {
  std::array<std::uint32_t, 80> words;
  for (std::size_t i = 0; i < 16; ++i) words[i] = read_word(block + 4 * i);
  for (std::size_t i = 16; i < 80; ++i) {
    words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
  }
  auto [a, b, c, d, e] = state;
  for (std::size_t i = 0; i < 80; ++i) {
    std::uint32_t mixed;
    if (i < 20) {
      mixed = ((b & c) | (~b & d)) + 0x5a827999;
    } else if (i < 40) {
      mixed = (b ^ c ^ d) + 0x6ed9eba1;
    } else if (i < 60) {
      mixed = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    } else {
      mixed = (b ^ c ^ d) + 0xca62c1d6;
    }
    const std::uint32_t next = std::rotl(a, 5) + mixed + e + words[i];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  const State added{a, b, c, d, e};
  for (std::size_t i = 0; i < state.size(); ++i) state[i] += added[i];
}

}  // namespace

std::array<std::uint8_t, 20> sha1(std::string_view text) noexcept {
  MR_ASSERT(text.size() <= sha1_input_bytes_max);
  std::array<std::uint8_t, 2 * block_bytes> padded{};
  std::memcpy(padded.data(), text.data(), text.size());
  padded[text.size()] = 0x80;
  const std::size_t bytes = text.size() + 9 <= block_bytes ? block_bytes : 2 * block_bytes;
  const std::uint64_t bits = text.size() * 8;
  for (std::size_t i = 0; i < 8; ++i) padded[bytes - 1 - i] = static_cast<std::uint8_t>(bits >> (8 * i));

  State state{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  for (std::size_t at = 0; at < bytes; at += block_bytes) add_block(state, padded.data() + at);

  std::array<std::uint8_t, 20> digest;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<std::uint8_t>(state[i / 4] >> (24 - i % 4 * 8));
  }
  return digest;
}

}  // namespace millrace::ws
