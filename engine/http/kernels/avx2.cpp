// avx2.cpp: the kernel for AVX2 and BMI2, one register a block.
#include <immintrin.h>

#include "engine/http/kernels/block_scan.hpp"
#include "engine/http/kernels/kernels.hpp"
#include "engine/http/kernels/nibbles.hpp"

namespace millrace::http {

namespace {

class Block {
 public:
  using Mask = std::uint32_t;

  explicit MR_INLINE Block(const char* at) noexcept
      : constants_(&constants_in_memory), bytes_(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at))) {
    __asm__("" : "+r"(constants_));  // Hides that they are constants.
  }

  MR_INLINE Mask plain_stops() const noexcept { return not_in_set(constants_->plain_by_low); }
  MR_INLINE Mask target_stops() const noexcept { return not_in_set(constants_->target_by_low); }
  MR_INLINE Mask tabs() const noexcept { return equal_to(constants_->tab); }
  MR_INLINE Mask controls() const noexcept {
    const __m256i low = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes_, vector(constants_->last_control)), bytes_);
    return mask_of(_mm256_or_si256(low, _mm256_cmpeq_epi8(bytes_, vector(constants_->del))));
  }
  MR_INLINE FieldMasks<Mask> field_masks() const noexcept {
    return {~not_in_set(constants_->token_by_low), controls(), equal_to(constants_->cr)};
  }

 private:
  static MR_INLINE __m256i vector(const std::uint8_t* bytes) noexcept {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(bytes));
  }
  static MR_INLINE Mask mask_of(__m256i test) noexcept {
    return static_cast<Mask>(_mm256_movemask_epi8(test));
  }
  MR_INLINE Mask equal_to(const std::uint8_t* byte) const noexcept {
    return mask_of(_mm256_cmpeq_epi8(bytes_, vector(byte)));
  }
  MR_INLINE Mask not_in_set(const std::uint8_t* by_low) const noexcept {
    const __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes_, 4), vector(constants_->low_nibble));
    // The shuffle gives 0 for a byte above ASCII, and 0 is in no set.
    const __m256i both = _mm256_and_si256(_mm256_shuffle_epi8(vector(by_low), bytes_),
                                          _mm256_shuffle_epi8(vector(constants_->high_bit), high));
    return mask_of(_mm256_cmpeq_epi8(both, _mm256_setzero_si256()));
  }

  const BlockConstants* constants_;
  __m256i bytes_;
};

}  // namespace

Scan scan_avx2(const char* data, std::size_t size, Head& head) noexcept {
  return scan_blocks<Block>(data, size, head);
}

}  // namespace millrace::http
