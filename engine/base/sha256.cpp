#include "engine/base/sha256.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace millrace {
namespace {

/// The fractional parts of the cube roots of the first 64 primes.
constexpr std::array<std::uint32_t, 64> round_constants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

std::uint32_t load_big_endian(const std::uint8_t* from) noexcept {
  return std::uint32_t{from[0]} << 24 | std::uint32_t{from[1]} << 16 | std::uint32_t{from[2]} << 8 | from[3];
}

}  // namespace

void Sha256::compress(const std::uint8_t* block) noexcept {
  std::array<std::uint32_t, 64> w;
  for (std::size_t i = 0; i < 16; ++i) w[i] = load_big_endian(block + 4 * i);
  for (std::size_t i = 16; i < 64; ++i) {
    const std::uint32_t low = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
    const std::uint32_t high = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + low + w[i - 7] + high;
  }
  auto [a, b, c, d, e, f, g, h] = state_;
  for (std::size_t i = 0; i < 64; ++i) {
    const std::uint32_t sum_e = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    const std::uint32_t first = h + sum_e + ((e & f) ^ (~e & g)) + round_constants[i] + w[i];
    const std::uint32_t sum_a = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    const std::uint32_t second = sum_a + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + first;
    d = c, c = b, b = a, a = first + second;
  }
  const std::array<std::uint32_t, 8> worked = {a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < 8; ++i) state_[i] += worked[i];
}

void Sha256::update(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const std::size_t used = size_bytes_ % block_bytes;
    const std::size_t taken = std::min(bytes.size(), block_bytes - used);
    std::memcpy(block_.data() + used, bytes.data(), taken);
    size_bytes_ += taken;
    bytes.remove_prefix(taken);
    if (used + taken == block_bytes) compress(block_.data());
  }
}

Sha256Digest Sha256::finish() noexcept {
  const std::uint64_t size_bits = size_bytes_ * 8;
  static constexpr std::array<char, block_bytes> padding = {'\x80'};
  const std::size_t used = size_bytes_ % block_bytes;  // 1 to 64 bytes make it 56.
  update({padding.data(), (used < block_bytes - 8 ? block_bytes : 2 * block_bytes) - 8 - used});
  char size[8];
  for (unsigned i = 0; i < 8; ++i) size[i] = static_cast<char>(size_bits >> (56 - 8 * i));
  update({size, sizeof size});
  Sha256Digest digest;
  for (unsigned i = 0; i < digest.size(); ++i)
    digest[i] = static_cast<std::uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
  return digest;
}

Sha256Digest hmac_sha256(std::string_view key, std::string_view text) noexcept {
  std::array<char, 64> block{};
  Sha256Digest hashed;
  if (key.size() > block.size()) {
    Sha256 hash;
    hash.update(key);
    hashed = hash.finish();
    key = {reinterpret_cast<const char*>(hashed.data()), hashed.size()};
  }
  if (!key.empty()) std::memcpy(block.data(), key.data(), key.size());
  const auto keyed = [&block](char pad, std::string_view bytes) {
    std::array<char, 64> padded = block;
    for (char& byte : padded) byte = static_cast<char>(byte ^ pad);
    Sha256 hash;
    hash.update({padded.data(), padded.size()});
    hash.update(bytes);
    return hash.finish();
  };
  const Sha256Digest inner = keyed(0x36, text);
  return keyed(0x5c, {reinterpret_cast<const char*>(inner.data()), inner.size()});
}

bool equal_in_constant_time(const Sha256Digest& a, const Sha256Digest& b) noexcept {
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned>(a[i] ^ b[i]);
    asm volatile("" : "+r"(difference));  // Or the compiler might stop at the first difference.
  }
  return difference == 0;
}

}  // namespace millrace
