// sse42.cpp: the kernel for SSSE3 and SSE4.2, four registers a block.
#include <immintrin.h>

#include "engine/http/kernels/block_scan.hpp"
#include "engine/http/kernels/kernels.hpp"
#include "engine/http/kernels/nibbles.hpp"

namespace mr::http {

namespace {

class Block {
 public:
  explicit Block(const char* at) noexcept {
    for (int i = 0; i < 4; ++i) bytes_[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at) + i);
  }

  std::uint64_t target_stops() const noexcept {
    return ~mask_of([](__m128i bytes) { return in_set(bytes, target_by_low.data()); });
  }
  std::uint64_t controls() const noexcept {
    return mask_of([](__m128i bytes) { return controls(bytes); });
  }
  FieldMasks field_masks() const noexcept {
    return {mask_of([](__m128i bytes) { return in_set(bytes, token_by_low.data()); }),
            mask_of([](__m128i bytes) { return controls(bytes); }),
            mask_of([](__m128i bytes) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r')); }),
            mask_of([](__m128i bytes) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')); }),
            mask_of([](__m128i bytes) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(':')); })};
  }

 private:
  template <class Test>
  inline __attribute__((always_inline)) std::uint64_t mask_of(Test test) const noexcept {
    std::uint64_t mask = 0;
    for (unsigned i = 0; i < 4; ++i) {
      mask |= std::uint64_t{static_cast<std::uint16_t>(_mm_movemask_epi8(test(bytes_[i])))} << (16 * i);
    }
    return mask;
  }
  static __m128i in_set(__m128i bytes, const std::uint8_t* by_low_table) noexcept {
    const __m128i by_low = _mm_load_si128(reinterpret_cast<const __m128i*>(by_low_table));
    const __m128i bit = _mm_load_si128(reinterpret_cast<const __m128i*>(high_bit.data()));
    const __m128i high = _mm_and_si128(_mm_srli_epi16(bytes, 4), _mm_set1_epi8(15));
    // The shuffle gives 0 for a byte above ASCII, and 0 is in no set.
    const __m128i low_bits = _mm_shuffle_epi8(by_low, bytes);
    const __m128i high_bits = _mm_shuffle_epi8(bit, high);
    const __m128i both = _mm_and_si128(low_bits, high_bits);
    return _mm_andnot_si128(_mm_cmpeq_epi8(both, _mm_setzero_si128()), _mm_set1_epi8(-1));
  }
  static __m128i controls(__m128i bytes) noexcept {
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    const __m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
    const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
    return _mm_or_si128(_mm_andnot_si128(tab, low), del);
  }

  __m128i bytes_[4];
};

}  // namespace

Scan scan_sse42(const char* data, std::size_t size, Head& head) noexcept {
  return scan_blocks<Block>(data, size, head);
}

}  // namespace mr::http
