#include "engine/http/conditional.hpp"

#include "engine/http/char_class.hpp"
#include "engine/http/date.hpp"
#include "engine/http/framing.hpp"
#include "engine/http/list.hpp"

namespace millrace::http {

namespace {

bool is_weak(std::string_view etag) noexcept { return etag.starts_with("W/"); }
std::string_view opaque(std::string_view etag) noexcept { return is_weak(etag) ? etag.substr(2) : etag; }

/// RFC 9110 section 8.8.3.2.
bool equal_strong(std::string_view a, std::string_view b) noexcept {
  return !a.empty() && !is_weak(a) && !is_weak(b) && a == b;
}
bool equal_weak(std::string_view a, std::string_view b) noexcept {
  return !a.empty() && !b.empty() && opaque(a) == opaque(b);
}

/// Takes the entity tag `list` begins with; empty where it begins with none. A tag may hold commas,
/// so the list is read tag by tag.
std::string_view take_etag(std::string_view& list) noexcept {
  const std::size_t quote = is_weak(list) ? 2 : 0;
  if (quote >= list.size() || list[quote] != '"') return {};
  for (std::size_t at = quote + 1; at < list.size(); ++at) {
    const char byte = list[at];
    if (byte == '"') {
      const std::string_view etag = list.substr(0, at + 1);
      list.remove_prefix(at + 1);
      return etag;
    }
    if (byte == ' ' || byte == '\t' || is_class(byte, char_class::control)) return {};
  }
  return {};
}

/// Whether "*" or one of the listed tags matches. What follows a malformed tag is not read.
bool matches(std::string_view list, std::string_view etag, bool strong) noexcept {
  if (list == "*") return true;
  for (;;) {
    while (!list.empty() && (list[0] == ' ' || list[0] == '\t' || list[0] == ',')) list.remove_prefix(1);
    if (list.empty()) return false;
    const std::string_view listed = take_etag(list);
    if (listed.empty()) return false;
    if (strong ? equal_strong(listed, etag) : equal_weak(listed, etag)) return true;
  }
}

/// Digits of a position, saturating: one past every size needs no exact value.
bool take_number(std::string_view& text, std::uint64_t& value) noexcept {
  std::size_t digits = 0;
  bool over = false;
  value = 0;
  for (; digits < text.size() && is_class(text[digits], char_class::digit); ++digits) {
    over = over || __builtin_mul_overflow(value, std::uint64_t{10}, &value) ||
           __builtin_add_overflow(value, static_cast<std::uint64_t>(text[digits] - '0'), &value);
  }
  if (over) value = UINT64_MAX;
  text.remove_prefix(digits);
  return digits != 0;
}

/// One int-range or suffix-range; `ignore` where it is malformed, or cannot be told from the whole.
RangeVerdict read_spec(std::string_view spec, std::uint64_t size_bytes, ByteRange& range) noexcept {
  std::uint64_t first = 0;
  std::uint64_t last = UINT64_MAX;
  const bool has_first = take_number(spec, first);
  if (!spec.starts_with('-')) return RangeVerdict::ignore;
  spec.remove_prefix(1);
  const bool has_last = take_number(spec, last);
  if (!spec.empty() || !(has_first || has_last)) return RangeVerdict::ignore;
  if (!has_first) {
    if (last == 0) return RangeVerdict::unsatisfiable;
    if (size_bytes == 0) return RangeVerdict::ignore;  // Satisfiable, but no Content-Range can say it.
    range = {last < size_bytes ? size_bytes - last : 0, size_bytes - 1};
    return RangeVerdict::partial;
  }
  if (has_last && last < first) return RangeVerdict::ignore;
  if (first >= size_bytes) return RangeVerdict::unsatisfiable;
  range = {first, has_last && last < size_bytes ? last : size_bytes - 1};
  return RangeVerdict::partial;
}

}  // namespace

Precondition evaluate(const Conditions& conditions, const Validators& validators,
                      std::int64_t now_seconds) noexcept {
  const bool dated = validators.modified_seconds > 0;
  if (conditions.if_match) {
    if (!matches(*conditions.if_match, validators.etag, true)) return Precondition::failed;
  } else if (conditions.if_unmodified_since && dated) {
    const auto date = read_date(*conditions.if_unmodified_since, now_seconds);
    if (date && validators.modified_seconds > *date) return Precondition::failed;
  }
  if (conditions.if_none_match) {
    if (!matches(*conditions.if_none_match, validators.etag, false)) return Precondition::proceed;
    return conditions.is_get_or_head ? Precondition::not_modified : Precondition::failed;
  }
  if (conditions.if_modified_since && dated && conditions.is_get_or_head) {
    const auto date = read_date(*conditions.if_modified_since, now_seconds);
    if (date && *date <= now_seconds && validators.modified_seconds <= *date)
      return Precondition::not_modified;
  }
  return Precondition::proceed;
}

bool range_applies(const Conditions& conditions, const Validators& validators,
                   std::int64_t now_seconds) noexcept {
  if (!conditions.if_range) return true;
  const std::string_view field = *conditions.if_range;
  if (field.starts_with('"') || is_weak(field)) return equal_strong(field, validators.etag);
  // RFC 9110 section 8.8.2.2: a date from this very second may stand for two states of the file.
  const auto date = read_date(field, now_seconds);
  return date && *date == validators.modified_seconds && validators.modified_seconds < now_seconds;
}

RangeVerdict read_ranges(std::string_view field, std::uint64_t size_bytes, RangeSet& set) noexcept {
  constexpr std::string_view unit = "bytes=";
  set.count = 0;
  if (field.size() < unit.size() || !equal_ignoring_case(field.substr(0, unit.size()), unit)) {
    return RangeVerdict::ignore;
  }
  ListReader list(field.substr(unit.size()));
  std::size_t asked = 0;
  for (std::string_view element; list.next(element);) {
    if (element.empty()) continue;
    if (++asked > RangeSet::ranges_max) return RangeVerdict::ignore;
    ByteRange range{};
    switch (read_spec(element, size_bytes, range)) {
      case RangeVerdict::ignore: return RangeVerdict::ignore;
      case RangeVerdict::unsatisfiable: continue;
      case RangeVerdict::partial: break;
    }
    for (std::size_t other = 0; other < set.count; ++other) {
      if (range.first <= set.ranges[other].last && set.ranges[other].first <= range.last)
        return RangeVerdict::ignore;
    }
    set.ranges[set.count++] = range;
  }
  if (set.count != 0) return RangeVerdict::partial;
  return asked != 0 ? RangeVerdict::unsatisfiable : RangeVerdict::ignore;
}

}  // namespace millrace::http
