// sha256.hpp: SHA-256 and HMAC, so that signing needs no library. Source: FIPS 180-4, RFC 2104.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace millrace {

using Sha256Digest = std::array<std::uint8_t, 32>;

/// Takes bytes in any pieces.
class Sha256 {
 public:
  void update(std::string_view bytes) noexcept;
  /// Once, at the end.
  Sha256Digest finish() noexcept;

 private:
  static constexpr std::size_t block_bytes = 64;
  void compress(const std::uint8_t* block) noexcept;

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::uint8_t, block_bytes> block_{};
  std::uint64_t size_bytes_ = 0;
};

/// HMAC-SHA-256. The key may have any size.
Sha256Digest hmac_sha256(std::string_view key, std::string_view text) noexcept;

/// Whether they are the same, in a time that does not depend on where they differ.
bool equal_in_constant_time(const Sha256Digest& a, const Sha256Digest& b) noexcept;

}  // namespace millrace
