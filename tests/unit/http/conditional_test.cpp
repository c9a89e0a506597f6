// Goal: conditions in the order of RFC 9110 section 13.2.2, ranges of section 14.
#include "engine/http/conditional.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace millrace::http;

namespace {

constexpr std::int64_t modified = 784'111'777;  // Sun, 06 Nov 1994 08:49:37 GMT.
constexpr std::int64_t now = 1'800'000'000;
constexpr const char* same = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr const char* before = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr const char* after = "Sun, 06 Nov 1994 08:49:38 GMT";
constexpr const char* future = "Fri, 01 Jan 2100 00:00:00 GMT";

Precondition judge(const Conditions& conditions, std::string_view etag = "\"a\"") {
  return evaluate(conditions, Validators{etag, modified}, now);
}

/// "0-1 5-9", "416" or "whole".
std::string ranges_of(std::string_view field, std::uint64_t size) {
  RangeSet set;
  switch (read_ranges(field, size, set)) {
    case RangeVerdict::ignore: return "whole";
    case RangeVerdict::unsatisfiable: return "416";
    case RangeVerdict::partial: break;
  }
  std::string text;
  for (std::size_t index = 0; index < set.count; ++index) {
    const ByteRange range = set.ranges[index];
    if (index != 0) text += ' ';
    text.append(std::to_string(range.first)).append("-").append(std::to_string(range.last));
  }
  return text;
}

}  // namespace

TEST_CASE("evaluate: If-None-Match") {
  for (const std::string_view match :
       {"*", "\"a\"", "W/\"a\"", "\"x\", \"a\"", "\"x\",W/\"a\" , \"y\"", ",\"a\"", "\"x,y\",\"a\""}) {
    CAPTURE(match);
    CHECK(judge({.if_none_match = match}) == Precondition::not_modified);
    CHECK(judge({.if_none_match = match}, "W/\"a\"") == Precondition::not_modified);
    CHECK(judge({.if_none_match = match, .is_get_or_head = false}) == Precondition::failed);
  }
  for (const std::string_view other :
       {"\"b\"", "a", "\"a", "", "\"A\"", "w/\"a\"", "\"b a\"", "x\"a\"", "\"b,\"a\""}) {
    CAPTURE(other);
    CHECK(judge({.if_none_match = other}) == Precondition::proceed);
  }
  CHECK(judge({.if_none_match = "\"\""}, "") == Precondition::proceed);
}

TEST_CASE("evaluate: If-Match compares strongly") {
  CHECK(judge({.if_match = "\"a\""}) == Precondition::proceed);
  CHECK(judge({.if_match = "*"}) == Precondition::proceed);
  CHECK(judge({.if_match = "\"x\", \"a\""}) == Precondition::proceed);
  CHECK(judge({.if_match = "\"b\""}) == Precondition::failed);
  CHECK(judge({.if_match = "W/\"a\""}) == Precondition::failed);
  CHECK(judge({.if_match = "W/\"a\""}, "W/\"a\"") == Precondition::failed);
  CHECK(judge({.if_match = "\"a\""}, "") == Precondition::failed);
}

TEST_CASE("evaluate: dates") {
  CHECK(judge({.if_modified_since = same}) == Precondition::not_modified);
  CHECK(judge({.if_modified_since = after}) == Precondition::not_modified);
  CHECK(judge({.if_modified_since = before}) == Precondition::proceed);
  CHECK(judge({.if_modified_since = future}) == Precondition::proceed);
  CHECK(judge({.if_modified_since = "yesterday"}) == Precondition::proceed);
  CHECK(judge({.if_modified_since = same, .is_get_or_head = false}) == Precondition::proceed);
  CHECK(judge({.if_unmodified_since = same}) == Precondition::proceed);
  CHECK(judge({.if_unmodified_since = before}) == Precondition::failed);
  CHECK(judge({.if_unmodified_since = "never"}) == Precondition::proceed);
  CHECK(evaluate({.if_modified_since = after}, Validators{"\"a\"", 0}, now) == Precondition::proceed);
  CHECK(evaluate({.if_unmodified_since = before}, Validators{"\"a\"", 0}, now) == Precondition::proceed);
}

TEST_CASE("evaluate: the order of RFC 9110 section 13.2.2") {
  // A tag condition silences the date condition of its kind.
  CHECK(judge({.if_match = "\"a\"", .if_unmodified_since = before}) == Precondition::proceed);
  CHECK(judge({.if_none_match = "\"b\"", .if_modified_since = same}) == Precondition::proceed);
  // If-Match fails before If-None-Match is asked.
  CHECK(judge({.if_match = "\"b\"", .if_none_match = "\"a\""}) == Precondition::failed);
  CHECK(judge({.if_match = "\"a\"", .if_none_match = "\"a\""}) == Precondition::not_modified);
}

TEST_CASE("range_applies: If-Range is strong") {
  const Validators validators{"\"a\"", modified};
  CHECK(range_applies({}, validators, now));
  CHECK(range_applies({.if_range = "\"a\""}, validators, now));
  CHECK_FALSE(range_applies({.if_range = "\"b\""}, validators, now));
  CHECK_FALSE(range_applies({.if_range = "W/\"a\""}, validators, now));
  CHECK_FALSE(range_applies({.if_range = "W/\"a\""}, Validators{"W/\"a\"", modified}, now));
  CHECK(range_applies({.if_range = same}, validators, now));
  CHECK_FALSE(range_applies({.if_range = after}, validators, now));
  CHECK_FALSE(range_applies({.if_range = "x"}, validators, now));
  CHECK_FALSE(range_applies({.if_range = same}, validators, modified));  // Changed in this very second.
}

TEST_CASE("read_ranges") {
  struct Case {
    std::string_view field;
    std::uint64_t size;
    std::string_view want;
  };
  static constexpr Case cases[] = {
      {"bytes=0-0", 10, "0-0"},
      {"bytes=-1", 10, "9-9"},
      {"bytes=5-", 10, "5-9"},
      {"BYTES=2-4", 10, "2-4"},
      {"bytes=2-400", 10, "2-9"},
      {"bytes=0-99999999999999999999999", 10, "0-9"},
      {"bytes=-400", 10, "0-9"},
      {"bytes=9-9", 10, "9-9"},
      {"bytes=10-", 10, "416"},
      {"bytes=999999-", 10, "416"},
      {"bytes=99999999999999999999999-", 10, "416"},
      {"bytes=99999999999999999999999-99999999999999999999998", 10, "416"},
      {"bytes=-0", 10, "416"},
      {"bytes=0-", 0, "416"},
      {"bytes=-1", 0, "whole"},
      {"bytes=5-2", 10, "whole"},
      {"items=0-1", 10, "whole"},
      {"bytes=", 10, "whole"},
      {"bytes=,", 10, "whole"},
      {"bytes=-", 10, "whole"},
      {"bytes", 10, "whole"},
      {"bytes=5", 10, "whole"},
      {"bytes=a-b", 10, "whole"},
      {"bytes=0-1x", 10, "whole"},
      {"bytes=+0-1", 10, "whole"},
      {"bytes=0 -1", 10, "whole"},
      {"", 10, "whole"},
      // Several.
      {"bytes=0-0,2-3", 10, "0-0 2-3"},
      {"bytes=0-0 ,\t2-3", 10, "0-0 2-3"},
      {"bytes=,0-0,,-1,", 10, "0-0 9-9"},
      {"bytes=5-6,0-1", 10, "5-6 0-1"},
      {"bytes=20-,0-1", 10, "0-1"},
      {"bytes=20-,30-", 10, "416"},
      {"bytes=20-,-0", 10, "416"},
      {"bytes=0-1,1-2", 10, "whole"},
      {"bytes=0-,0-", 10, "whole"},
      {"bytes=2-3,-100", 10, "whole"},
      {"bytes=0-1,x", 10, "whole"},
      {"bytes=0-1,5-4", 10, "whole"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.field);
    CHECK(ranges_of(c.field, c.size) == c.want);
  }
}

TEST_CASE("read_ranges: no more than ranges_max") {
  std::string field = "bytes=0-0";
  std::string want = "0-0";
  for (std::size_t index = 1; index < RangeSet::ranges_max; ++index) {
    const std::string at = std::to_string(2 * index);
    field += "," + at + "-" + at;
    want += " " + at + "-" + at;
  }
  CHECK(ranges_of(field, 100) == want);
  CHECK(ranges_of(field + ",90-90", 100) == "whole");
  CHECK(ranges_of(field + ",200-", 100) == "whole");
}
