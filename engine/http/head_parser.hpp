// head_parser.hpp: the head of a request, from bytes to spans.
//
//   bytes -> vector kernel -> complete
//                          -> unsure / incomplete -> strict path (llhttp) -> complete, need_more, refused
//
// The kernel accepts only what is beyond doubt; the strict path judges everything else, and says
// why. The two never disagree on what they both accept; -Ddifferential=true runs both and aborts.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/base/result.hpp"
#include "engine/http/head.hpp"

namespace millrace::http {

/// What a kernel says. It never refuses: `unsure` hands the bytes to the strict path.
enum class Scan : std::uint8_t { complete, incomplete, unsure };

/// data      the first byte of a request line; mem::padding_bytes are readable behind data + size.
/// head      fields/fields_max set by the caller. On complete everything is set; otherwise undefined.
/// Validates every byte it accepts. Never refuses: more than fields_max fields, a bare CR, an
/// unknown method, an odd version, a leading CRLF, a `%`... are `unsure` where it does not want to judge.
using Kernel = Scan (*)(const char* data, std::size_t size, Head& head) noexcept;

enum class Isa : std::uint8_t { scalar, sse42, avx2, avx512 };
inline constexpr unsigned isa_count = 4;
const char* name_of(Isa isa) noexcept;

/// The kernel of an instruction set; null where this processor (or build) lacks it.
Kernel kernel_for(Isa isa) noexcept;
/// The best this processor has, or what MILLRACE_ISA names (scalar, sse4.2, avx2, avx512); a name
/// that is unknown or lacks processor support gives Errc::unsupported.
Result<Isa> choose_isa() noexcept;

struct HeadLimits {
  std::uint32_t bytes_max = 16 * 1024;  ///< Request line and fields together, <= head_bytes_ceiling.
  std::uint16_t fields_max = 100;
};

/// Judges a head the slow way: the grammar of RFC 9112 line by line, and llhttp beside it.
///
/// Skips up to 8 empty lines before the request line (section 2.2); Head::base is behind them.
/// Returns ok       the head is complete, `head` is filled;
///         need_more  all that is there is well formed so far, and within the limits;
///         an Error with its status: 400, 414 (request target), 431 (fields, head), 501 (a method
///         longer than the limit), 505 (an HTTP major version other than 1).
/// A cut head is refused as soon as its bytes cannot become a valid one any more.
/// O(size); never allocates.
Error parse_head_strict(const char* data, std::size_t size, const HeadLimits& limits, Head& head) noexcept;

/// `head` is what a kernel made of these bytes. Judges them again by the strict path; where that
/// refuses them or finds other spans, prints both and the bytes in hex to standard error and aborts.
void require_agreement(const char* data, std::size_t size, const HeadLimits& limits,
                       const Head& head) noexcept;

/// Kernel first, strict path where it must.
class HeadParser {
 public:
  HeadParser(Isa isa, const HeadLimits& limits) noexcept;

  /// As parse_head_strict(), faster. `incomplete` heads are NOT judged by the strict path unless
  /// judge_partial: pass true for the first bytes of a request and whenever a line feed arrived, so
  /// that a hopeless head is refused early, without quadratic cost for one byte at a time.
  Error parse(const char* data, std::size_t size, bool judge_partial, Head& head) const noexcept {
    // Held to the limit, the kernel can complete no head that is over it.
    const Scan scan = kernel_(data, size < limits_.bytes_max ? size : limits_.bytes_max, head);
    if (scan == Scan::complete) [[likely]] {
      if (head.field_count > limits_.fields_max) [[unlikely]]
        return {Errc::fields_too_many, 431};
#ifdef MR_DIFFERENTIAL
      require_agreement(data, size, limits_, head);
#endif
      return {};
    }
    return parse_slowly(scan, data, size, judge_partial, head);
  }

  Isa isa() const noexcept { return isa_; }
  const HeadLimits& limits() const noexcept { return limits_; }

 private:
  Error parse_slowly(Scan scan, const char* data, std::size_t size, bool judge_partial,
                     Head& head) const noexcept;

  Kernel kernel_;
  HeadLimits limits_;
  Isa isa_;
};

}  // namespace millrace::http
