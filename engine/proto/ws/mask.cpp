#include "engine/proto/ws/mask.hpp"

#include <bit>
#include <cstring>

namespace millrace::ws {
namespace {

// The compiler's own vectors: one or two registers on every processor there is.
using Wide = std::uint64_t __attribute__((vector_size(32)));

template <class T>
void combine(char* to, const char* from, const T& mask) noexcept {
  T bytes;
  std::memcpy(&bytes, from, sizeof bytes);
  bytes ^= mask;
  std::memcpy(to, &bytes, sizeof bytes);
}

}  // namespace

void unmask(char* to, const char* from, std::size_t size, std::uint32_t mask,
            std::uint64_t position) noexcept {
  static_assert(std::endian::native == std::endian::little);
  const std::uint32_t turned = std::rotr(mask, static_cast<int>(position % 4 * 8));
  const std::uint64_t word = std::uint64_t{turned} << 32 | turned;
  const Wide wide{word, word, word, word};
  std::size_t at = 0;
  for (; at + sizeof wide <= size; at += sizeof wide) combine(to + at, from + at, wide);
  for (; at + sizeof word <= size; at += sizeof word) combine(to + at, from + at, word);
  for (; at < size; ++at) to[at] = static_cast<char>(from[at] ^ static_cast<char>(turned >> (at % 4 * 8)));
}

}  // namespace millrace::ws
