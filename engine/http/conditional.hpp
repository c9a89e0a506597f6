// conditional.hpp: validators, conditions and ranges. Source: RFC 9110 sections 13 and 14.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace millrace::http {

/// A representation's validators. `etag` with its quotes, e.g. "\"5f-1a2b\"" or "W/\"5f\"".
struct Validators {
  std::string_view etag;
  std::int64_t modified_seconds = 0;  ///< Unix time; <= 0: unknown.
};

/// The request's condition fields, raw; `present` is false where there was none.
struct Conditions {
  std::optional<std::string_view> if_match, if_none_match, if_modified_since, if_unmodified_since, if_range;
  bool is_get_or_head = true;
};

enum class Precondition : std::uint8_t { proceed, not_modified /*304*/, failed /*412*/ };

/// In the order of RFC 9110 section 13.2.2. Bad dates count as absent. now_seconds: for RFC 850 years
/// and for dates in the future (ignored).
Precondition evaluate(const Conditions& conditions, const Validators& validators,
                      std::int64_t now_seconds) noexcept;

/// Whether a Range field may be honoured (section 13.1.5).
bool range_applies(const Conditions& conditions, const Validators& validators,
                   std::int64_t now_seconds) noexcept;

/// Inclusive at both ends.
struct ByteRange {
  std::uint64_t first, last;
};

/// The ranges to send, in the order they were asked for; none overlaps another.
struct RangeSet {
  static constexpr std::size_t ranges_max = 16;  ///< More in one field: the whole is sent.
  std::array<ByteRange, ranges_max> ranges;
  std::size_t count = 0;
};

enum class RangeVerdict : std::uint8_t { ignore /*200*/, partial /*206*/, unsatisfiable /*416*/ };

/// Reads a Range field. `partial` fills `set` with at least one range; of several, those past the end are
/// left out. A malformed field, another unit, more than ranges_max ranges, and ranges that overlap (which
/// no honest client sends, RFC 9110 section 14.2) are `ignore`. size_bytes: of the representation.
/// O(field + ranges_max squared). Source: RFC 9110 sections 14.1.2 and 14.2.
RangeVerdict read_ranges(std::string_view field, std::uint64_t size_bytes, RangeSet& set) noexcept;

}  // namespace millrace::http
