// avx2.cpp: the kernel for AVX2 and BMI2, two registers a block.
#include <immintrin.h>

#include "engine/http/kernels/block_scan.hpp"
#include "engine/http/kernels/kernels.hpp"
#include "engine/http/kernels/nibbles.hpp"

namespace mr::http {

namespace {

class Block {
 public:
  explicit Block(const char* at) noexcept {
    for (int i = 0; i < 2; ++i) bytes_[i] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at) + i);
  }

  std::uint64_t target_stops() const noexcept {
    return ~mask_of([](__m256i bytes) { return in_set(bytes, target_by_low.data()); });
  }
  std::uint64_t controls() const noexcept {
    return mask_of([](__m256i bytes) { return controls(bytes); });
  }
  FieldMasks field_masks() const noexcept {
    return {mask_of([](__m256i bytes) { return in_set(bytes, token_by_low.data()); }),
            mask_of([](__m256i bytes) { return controls(bytes); }),
            mask_of([](__m256i bytes) { return _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\r')); }),
            mask_of([](__m256i bytes) { return _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\n')); }),
            mask_of([](__m256i bytes) { return _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(':')); })};
  }

 private:
  template <class Test>
  inline __attribute__((always_inline)) std::uint64_t mask_of(Test test) const noexcept {
    std::uint64_t mask = 0;
    for (unsigned i = 0; i < 2; ++i) {
      mask |= std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(test(bytes_[i])))} << (32 * i);
    }
    return mask;
  }
  static __m256i both_lanes(const std::uint8_t* table) noexcept {
    return _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(table)));
  }
  static __m256i in_set(__m256i bytes, const std::uint8_t* by_low_table) noexcept {
    const __m256i by_low = both_lanes(by_low_table);
    const __m256i bit = both_lanes(high_bit.data());
    const __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
    // The shuffle gives 0 for a byte above ASCII, and 0 is in no set.
    const __m256i low_bits = _mm256_shuffle_epi8(by_low, bytes);
    const __m256i high_bits = _mm256_shuffle_epi8(bit, high);
    const __m256i both = _mm256_and_si256(low_bits, high_bits);
    return _mm256_andnot_si256(_mm256_cmpeq_epi8(both, _mm256_setzero_si256()), _mm256_set1_epi8(-1));
  }
  static __m256i controls(__m256i bytes) noexcept {
    const __m256i low = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(0x1f)), bytes);
    const __m256i tab = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\t'));
    const __m256i del = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(0x7f));
    return _mm256_or_si256(_mm256_andnot_si256(tab, low), del);
  }

  __m256i bytes_[2];
};

}  // namespace

Scan scan_avx2(const char* data, std::size_t size, Head& head) noexcept {
  return scan_blocks<Block>(data, size, head);
}

}  // namespace mr::http
