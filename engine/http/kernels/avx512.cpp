// avx512.cpp: the kernel for AVX-512 BW and VBMI, one register a block and one lookup for all classes.
#include <immintrin.h>

#include "engine/http/kernels/block_scan.hpp"
#include "engine/http/kernels/kernels.hpp"

namespace millrace::http {

namespace {

constexpr std::uint8_t target_bit = char_class::path;      // With "?" added.
constexpr std::uint8_t plain_bit = char_class::authority;  // In its place: of a path, all but "%".

/// What the block needs next to the bytes, in one place: kept in memory, because building each from
/// a general register costs more than loading it.
struct Constants {
  std::uint8_t classes[128];
  std::uint8_t token[64], control[64], plain[64], target[64], cr[64];
};
constexpr Constants make_constants() {
  Constants constants{};
  for (unsigned byte = 0; byte < 128; ++byte) {
    const bool plain = byte != '%' && (char_classes[byte] & char_class::path) != 0;
    constants.classes[byte] =
        static_cast<std::uint8_t>((char_classes[byte] & ~plain_bit) | (plain ? plain_bit : 0));
  }
  constants.classes[unsigned{'?'}] |= target_bit;
  for (unsigned i = 0; i < 64; ++i) {
    constants.token[i] = char_class::token;
    constants.control[i] = char_class::control;
    constants.plain[i] = plain_bit;
    constants.target[i] = target_bit;
    constants.cr[i] = '\r';
  }
  return constants;
}
alignas(64) constexpr Constants in_memory = make_constants();

/// One move to a general register, where the arithmetic is; left alone, the compiler computes on in
/// mask registers, at three cycles a step.
MR_INLINE std::uint64_t general(std::uint64_t mask) noexcept {
  __asm__("" : "+r"(mask));
  return mask;
}

class Block {
 public:
  using Mask = std::uint64_t;

  explicit MR_INLINE Block(const char* at) noexcept : bytes_(_mm512_loadu_si512(at)), constants_(&in_memory) {
    __asm__("" : "+r"(constants_));  // Hides that they are constants.
    bits_ = _mm512_permutex2var_epi8(vector(constants_->classes), bytes_, vector(constants_->classes + 64));
    high_ = general(_mm512_movepi8_mask(bytes_));
  }

  MR_INLINE Mask plain_stops() const noexcept {
    return general(_mm512_testn_epi8_mask(bits_, vector(constants_->plain))) | high_;
  }
  MR_INLINE Mask target_stops() const noexcept {
    return general(_mm512_testn_epi8_mask(bits_, vector(constants_->target))) | high_;
  }
  MR_INLINE Mask tabs() const noexcept { return 0; }  // No control here.
  MR_INLINE Mask controls() const noexcept {
    return general(_mm512_test_epi8_mask(bits_, vector(constants_->control))) & ~high_;
  }
  MR_INLINE FieldMasks<Mask> field_masks() const noexcept {
    return {general(_mm512_test_epi8_mask(bits_, vector(constants_->token))) & ~high_, controls(),
            general(_mm512_cmpeq_epi8_mask(bytes_, vector(constants_->cr)))};
  }

 private:
  static MR_INLINE __m512i vector(const std::uint8_t* bytes) noexcept { return _mm512_load_si512(bytes); }

  __m512i bytes_;
  __m512i bits_;  // Of the seven low bits of each byte; right where the byte is ASCII.
  const Constants* constants_;
  std::uint64_t high_;  // The bytes that are not.
};

}  // namespace

Scan scan_avx512(const char* data, std::size_t size, Head& head) noexcept {
  return scan_blocks<Block>(data, size, head);
}

}  // namespace millrace::http
