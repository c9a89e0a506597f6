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

RangeVerdict range_of(std::string_view field, std::uint64_t size, ByteRange& range) {
  range = {77, 77};
  return read_range(field, size, range);
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

TEST_CASE("read_range") {
  struct Case {
    std::string_view field;
    std::uint64_t size;
    RangeVerdict want;
    std::uint64_t first, last;
  };
  static constexpr Case cases[] = {
      {"bytes=0-0", 10, RangeVerdict::single, 0, 0},
      {"bytes=-1", 10, RangeVerdict::single, 9, 9},
      {"bytes=5-", 10, RangeVerdict::single, 5, 9},
      {"BYTES=2-4", 10, RangeVerdict::single, 2, 4},
      {"bytes=2-400", 10, RangeVerdict::single, 2, 9},
      {"bytes=0-99999999999999999999999", 10, RangeVerdict::single, 0, 9},
      {"bytes=-400", 10, RangeVerdict::single, 0, 9},
      {"bytes=9-9", 10, RangeVerdict::single, 9, 9},
      {"bytes=10-", 10, RangeVerdict::unsatisfiable, 77, 77},
      {"bytes=999999-", 10, RangeVerdict::unsatisfiable, 77, 77},
      {"bytes=99999999999999999999999-", 10, RangeVerdict::unsatisfiable, 77, 77},
      {"bytes=99999999999999999999999-99999999999999999999998", 10, RangeVerdict::unsatisfiable, 77, 77},
      {"bytes=-0", 10, RangeVerdict::unsatisfiable, 77, 77},
      {"bytes=0-", 0, RangeVerdict::unsatisfiable, 77, 77},
      {"bytes=-1", 0, RangeVerdict::ignore, 77, 77},
      {"bytes=5-2", 10, RangeVerdict::ignore, 77, 77},
      {"items=0-1", 10, RangeVerdict::ignore, 77, 77},
      {"bytes=", 10, RangeVerdict::ignore, 77, 77},
      {"bytes=-", 10, RangeVerdict::ignore, 77, 77},
      {"bytes", 10, RangeVerdict::ignore, 77, 77},
      {"bytes=5", 10, RangeVerdict::ignore, 77, 77},
      {"bytes=a-b", 10, RangeVerdict::ignore, 77, 77},
      {"bytes=0-1x", 10, RangeVerdict::ignore, 77, 77},
      {"bytes=+0-1", 10, RangeVerdict::ignore, 77, 77},
      {"bytes=0-0,2-3", 10, RangeVerdict::ignore, 77, 77},
      {"", 10, RangeVerdict::ignore, 77, 77},
  };
  for (const Case& c : cases) {
    CAPTURE(c.field);
    ByteRange range{};
    CHECK(range_of(c.field, c.size, range) == c.want);
    CHECK(range.first == c.first);
    CHECK(range.last == c.last);
  }
}
