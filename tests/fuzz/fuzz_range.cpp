// fuzz_range.cpp: fields that a client writes freely: ranges, conditions, escapes and hosts.
//
// Property    ranges lie within the representation; decoding never grows; nothing reads outside.
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/assert.hpp"
#include "engine/http/conditional.hpp"
#include "engine/http/framing.hpp"
#include "engine/http/target.hpp"

namespace {

using namespace millrace::http;

void check_range(std::string_view field) {
  for (const std::uint64_t size :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1000}, ~std::uint64_t{0}}) {
    RangeSet set;
    if (read_ranges(field, size, set) != RangeVerdict::partial) continue;
    MR_ASSERT(set.count >= 1 && set.count <= RangeSet::ranges_max);
    std::uint64_t total = 0;
    for (std::size_t index = 0; index < set.count; ++index) {
      const ByteRange range = set.ranges[index];
      MR_ASSERT(range.first <= range.last);
      MR_ASSERT(range.last < size);
      total += range.last - range.first + 1;
    }
    MR_ASSERT(total <= size);  // None overlaps another.
  }
}

void check_conditions(std::string_view field) {
  constexpr Validators validators{.etag = "\"5f-1a\"", .modified_seconds = 1'700'000'000};
  constexpr std::int64_t now = 1'800'000'000;
  const bool names_it =
      field.find("5f-1a") != std::string_view::npos || field.find('*') != std::string_view::npos;
  Conditions conditions;
  conditions.if_match = field;
  if (evaluate(conditions, validators, now) == Precondition::proceed) MR_ASSERT(names_it);
  conditions = {};
  conditions.if_none_match = field;
  if (evaluate(conditions, validators, now) == Precondition::not_modified) MR_ASSERT(names_it);
  conditions = {};
  conditions.if_modified_since = conditions.if_unmodified_since = field;
  static_cast<void>(evaluate(conditions, validators, now));
  conditions = {};
  conditions.if_range = field;
  if (range_applies(conditions, validators, now)) MR_ASSERT(!field.empty());
}

void check_escapes(std::string_view field) {
  for (const bool plus_is_space : {false, true}) {
    std::string copy(field);
    const std::size_t size = percent_decode(copy.data(), copy.size(), plus_is_space);
    const bool escaped = field.find('%') != std::string_view::npos;
    MR_ASSERT(size == std::string::npos ? escaped : size <= field.size());
    if (!escaped) MR_ASSERT(size == field.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view field(reinterpret_cast<const char*>(data), size);
  check_range(field);
  check_conditions(field);
  check_escapes(field);
  if (valid_host(field)) MR_ASSERT(field.find_first_of("@ /\r\n") == std::string_view::npos);
  return 0;
}
