// sse42.cpp: the kernel for SSSE3 and SSE4.2, two registers a block.
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
      : constants_(&constants_in_memory),
        low_(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at))),
        high_(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at) + 1)) {
    __asm__("" : "+r"(constants_));  // Hides that they are constants.
  }

  MR_INLINE Mask plain_stops() const noexcept { return not_in_set(constants_->plain_by_low); }
  MR_INLINE Mask target_stops() const noexcept { return not_in_set(constants_->target_by_low); }
  MR_INLINE Mask tabs() const noexcept { return equal_to(constants_->tab); }
  MR_INLINE Mask controls() const noexcept { return mask_of(controls(low_), controls(high_)); }
  MR_INLINE FieldMasks<Mask> field_masks() const noexcept {
    return {~not_in_set(constants_->token_by_low), controls(), equal_to(constants_->cr)};
  }

 private:
  static MR_INLINE __m128i vector(const std::uint8_t* bytes) noexcept {
    return _mm_load_si128(reinterpret_cast<const __m128i*>(bytes));
  }
  static MR_INLINE Mask mask_of(__m128i low, __m128i high) noexcept {
    return static_cast<Mask>(_mm_movemask_epi8(low)) | static_cast<Mask>(_mm_movemask_epi8(high)) << 16;
  }
  MR_INLINE Mask equal_to(const std::uint8_t* byte) const noexcept {
    return mask_of(_mm_cmpeq_epi8(low_, vector(byte)), _mm_cmpeq_epi8(high_, vector(byte)));
  }
  MR_INLINE __m128i controls(__m128i bytes) const noexcept {
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, vector(constants_->last_control)), bytes);
    return _mm_or_si128(low, _mm_cmpeq_epi8(bytes, vector(constants_->del)));
  }
  MR_INLINE Mask not_in_set(const std::uint8_t* by_low) const noexcept {
    return mask_of(not_in_set(low_, by_low), not_in_set(high_, by_low));
  }
  MR_INLINE __m128i not_in_set(__m128i bytes, const std::uint8_t* by_low) const noexcept {
    const __m128i high = _mm_and_si128(_mm_srli_epi16(bytes, 4), vector(constants_->low_nibble));
    // The shuffle gives 0 for a byte above ASCII, and 0 is in no set.
    const __m128i both = _mm_and_si128(_mm_shuffle_epi8(vector(by_low), bytes),
                                       _mm_shuffle_epi8(vector(constants_->high_bit), high));
    return _mm_cmpeq_epi8(both, _mm_setzero_si128());
  }

  const BlockConstants* constants_;
  __m128i low_;  // The first 16 bytes.
  __m128i high_;
};

}  // namespace

Scan scan_sse42(const char* data, std::size_t size, Head& head) noexcept {
  return scan_blocks<Block>(data, size, head);
}

}  // namespace millrace::http
