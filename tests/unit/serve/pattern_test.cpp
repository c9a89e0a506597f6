// Goal: which patterns there are, and which types go with them. What must not compile is tested in
// tests/compile_fail.
#include <doctest/doctest.h>
#include <millrace/route_pattern.hpp>

#include <cstdint>
#include <limits>
#include <string>

using namespace millrace::detail;

TEST_CASE("pattern: syntax") {
  struct Case {
    const char* pattern;
    PatternFault fault;
    unsigned parameters = 0;
    bool wildcard = false;
  };
  static constexpr Case cases[] = {
      {"/", PatternFault::none},
      {"/items", PatternFault::none},
      {"/items/", PatternFault::none},
      {"/a b/\xc3\xa9", PatternFault::none},
      {"/items/{id}", PatternFault::none, 1},
      {"/{a}/{b}/x", PatternFault::none, 2},
      {"/{_a1}", PatternFault::none, 1},
      {"/*", PatternFault::none, 0, true},
      {"/{a}/*", PatternFault::none, 1, true},
      {"/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}", PatternFault::none, 8},
      {"/{a}/{b}/{c}/{d}/{e}/{f}/{g}/*", PatternFault::none, 7, true},
      {"", PatternFault::no_leading_slash},
      {"items", PatternFault::no_leading_slash},
      {"*", PatternFault::no_leading_slash},
      {"//", PatternFault::empty_segment},
      {"/a//b", PatternFault::empty_segment},
      {"/a?b", PatternFault::bad_character},
      {"/a#b", PatternFault::bad_character},
      {"/a%20b", PatternFault::bad_character},
      {"/a\nb", PatternFault::bad_character},
      {"/{id", PatternFault::stray_brace},
      {"/id}", PatternFault::stray_brace},
      {"/x{id}", PatternFault::stray_brace},
      {"/{id}x", PatternFault::stray_brace},
      {"/{}", PatternFault::bad_parameter_name},
      {"/{1a}", PatternFault::bad_parameter_name},
      {"/{a-b}", PatternFault::bad_parameter_name},
      {"/{a}/{a}", PatternFault::parameter_twice},
      {"/*/a", PatternFault::stray_wildcard},
      {"/a*", PatternFault::stray_wildcard},
      {"/**", PatternFault::stray_wildcard},
      {"/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}", PatternFault::too_many_parameters},
      {"/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/*", PatternFault::too_many_parameters},
  };
  for (const Case& c : cases) {
    CAPTURE(c.pattern);
    const PatternShape shape = read_pattern(c.pattern);
    CHECK(shape.fault == c.fault);
    if (c.fault != PatternFault::none) continue;
    CHECK(shape.parameters == c.parameters);
    CHECK(shape.wildcard == c.wildcard);
  }
}

namespace {

template <class T>
bool parses(std::string_view text, T want = {}) {
  T value{};
  return Argument<T>::parse(text, value) && value == want;
}

template <class T>
void check_limits() {
  using Limits = std::numeric_limits<T>;
  CAPTURE(sizeof(T));
  CHECK(parses<T>(std::to_string(Limits::max()), Limits::max()));
  CHECK(parses<T>(std::to_string(Limits::min()), Limits::min()));
  T value{};
  CHECK_FALSE(Argument<T>::parse(std::to_string(Limits::max()) + "0", value));
  std::string above = std::to_string(Limits::max());
  ++above.back();  // No maximum ends in 9.
  CHECK_FALSE(Argument<T>::parse(above, value));
  std::string below = std::to_string(Limits::min());
  if (Limits::is_signed) {
    ++below.back();
    CHECK_FALSE(Argument<T>::parse(below, value));
  } else {
    CHECK_FALSE(Argument<T>::parse("-1", value));
  }
}

}  // namespace

TEST_CASE("pattern: integers of every size, to their limits") {
  check_limits<std::int8_t>();
  check_limits<std::uint8_t>();
  check_limits<std::int16_t>();
  check_limits<std::uint16_t>();
  check_limits<std::int32_t>();
  check_limits<std::uint32_t>();
  check_limits<std::int64_t>();
  check_limits<std::uint64_t>();
  check_limits<long long>();
  check_limits<unsigned long long>();
}

TEST_CASE("pattern: what is no number") {
  for (const char* text : {"", " 1", "1 ", "+1", "0x10", "1.5", "one", "--1"}) {
    CAPTURE(text);
    int value = 0;
    CHECK_FALSE(Argument<int>::parse(text, value));
  }
  CHECK_FALSE(parses<int>(std::string_view("1\0", 2), 1));
  CHECK(parses<int>("007", 7));
}

TEST_CASE("pattern: doubles and truths") {
  CHECK(parses<double>("-1.5e3", -1500.0));
  CHECK(parses<double>("2", 2.0));
  for (const char* text : {"inf", "nan", "-inf", "1e999", "", "1.5x"}) {
    CAPTURE(text);
    double value = 0;
    CHECK_FALSE(Argument<double>::parse(text, value));
  }
  CHECK(parses<bool>("true", true));
  CHECK(parses<bool>("1", true));
  CHECK(parses<bool>("false", false));
  CHECK(parses<bool>("0", false));
  bool value = false;
  CHECK_FALSE(Argument<bool>::parse("yes", value));
  CHECK_FALSE(Argument<bool>::parse("", value));
}

TEST_CASE("pattern: texts are taken as they are") {
  CHECK(parses<std::string_view>("a/b", "a/b"));
  CHECK(parses<std::string>("", ""));
}
