// conditional.hpp: validators, conditions and ranges. Source: RFC 9110 sections 13 and 14.
#pragma once

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

struct ByteRange {
  std::uint64_t first, last;
};  ///< Inclusive.
enum class RangeVerdict : std::uint8_t { ignore /*200*/, single /*206*/, unsatisfiable /*416*/ };

/// One range; several ranges, a malformed field or another unit are `ignore`. size_bytes: of the representation.
RangeVerdict read_range(std::string_view field, std::uint64_t size_bytes, ByteRange& range) noexcept;

}  // namespace millrace::http
