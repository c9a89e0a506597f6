// token.hpp: the user data of every submission. A completion that comes late, for a slot that is
// used again, carries the old generation and is dropped.
#pragma once

#include <cstdint>

namespace millrace::io {

/// What a completion completes. `none` is for submissions whose completion nobody waits for.
enum class Op : std::uint8_t { none, accept, recv, send, hangup, wake };

class Token {
 public:
  constexpr Token() noexcept = default;
  constexpr Token(Op op, std::uint32_t generation, std::uint32_t slot) noexcept
      : bits_(static_cast<std::uint64_t>(op) << 56 |
              static_cast<std::uint64_t>(generation & 0xff'ffff) << 32 | slot) {}
  static constexpr Token from_bits(std::uint64_t bits) noexcept {
    Token token;
    token.bits_ = bits;
    return token;
  }

  constexpr Op op() const noexcept { return static_cast<Op>(bits_ >> 56); }
  constexpr std::uint32_t generation() const noexcept { return bits_ >> 32 & 0xff'ffff; }
  constexpr std::uint32_t slot() const noexcept { return static_cast<std::uint32_t>(bits_); }
  constexpr std::uint64_t bits() const noexcept { return bits_; }
  friend constexpr bool operator==(Token, Token) = default;

 private:
  std::uint64_t bits_ = 0;
};

}  // namespace millrace::io
