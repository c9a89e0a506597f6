// random.hpp: a small deterministic generator; the same seed gives the same numbers everywhere.
#pragma once

#include <bit>
#include <cstdint>

#include "engine/base/assert.hpp"

namespace millrace::io::sim {

/// One step of splitmix64: spreads every bit of `state` over the result.
constexpr std::uint64_t mix(std::uint64_t state) noexcept {
  state += 0x9e3779b97f4a7c15;
  state = (state ^ state >> 30) * 0xbf58476d1ce4e5b9;
  state = (state ^ state >> 27) * 0x94d049bb133111eb;
  return state ^ state >> 31;
}

/// xoshiro256**, seeded by splitmix64, as its authors advise.
class Random {
 public:
  explicit constexpr Random(std::uint64_t seed) noexcept {
    for (std::uint64_t& word : state_) word = seed = mix(seed);
  }

  constexpr std::uint64_t next() noexcept {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// 0 <= result < bound; bound > 0.
  constexpr std::uint64_t below(std::uint64_t bound) noexcept {
    MR_ASSERT(bound > 0);
    return next() % bound;
  }

  /// True `permille` times out of 1000. Takes no number where the answer is certain.
  constexpr bool chance(std::uint32_t permille) noexcept {
    if (permille == 0) return false;
    return permille >= 1000 || below(1000) < permille;
  }

 private:
  std::uint64_t state_[4]{};
};

}  // namespace millrace::io::sim
