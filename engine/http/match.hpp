// match.hpp: comparing with a word known in advance, eight bytes at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace millrace::http {

/// Whether `text` is `word` but for case. `word` is lower-case letters, digits and "-"; `text` has
/// passed the tokenizer, so it holds no controls: then setting bit 5 maps a letter's two cases, and
/// nothing else, to the letter, and leaves digits and "-" alone.
template <std::size_t n>
inline bool matches_lower(std::string_view text, const char (&word)[n]) noexcept {
  constexpr std::size_t size = n - 1;
  constexpr std::size_t step = size >= 8 ? 8 : 4;
  static_assert(size >= 4);
  using Word = std::conditional_t<step == 8, std::uint64_t, std::uint32_t>;
  constexpr Word bit_5 = static_cast<Word>(0x2020202020202020);
  if (text.size() != size) return false;
  const auto differs = [&text, &word](std::size_t at) {
    Word got;
    Word want;
    std::memcpy(&got, text.data() + at, step);
    std::memcpy(&want, word + at, step);
    return (got | bit_5) ^ want;
  };
  Word difference = differs(size - step);  // The last step overlaps the one before.
  for (std::size_t at = 0; at + step < size; at += step) difference |= differs(at);
  return difference == 0;
}

}  // namespace millrace::http
