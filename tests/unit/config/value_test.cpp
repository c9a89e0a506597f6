#include "engine/config/value.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace millrace::config;

TEST_CASE("read_size: digits and a power of 1024") {
  struct Case {
    std::string_view text;
    std::optional<std::uint64_t> want;
  };
  static constexpr Case cases[] = {
      {"0", 0},
      {"16384", 16384},
      {"16k", 16384},
      {"16K", 16384},
      {"8m", 8u << 20},
      {"1g", 1ull << 30},
      {"1t", 1ull << 40},
      {"", std::nullopt},
      {"k", {}},
      {"16kb", {}},
      {"16 k", {}},
      {"-1", {}},
      {"+1", {}},
      {"1.5m", {}},
      {" 1", {}},
      {"0x10", {}},
      {"16777215t", 16777215ull << 40},
      {"16777216t", {}},
      {"18446744073709551616", {}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK(read_size(c.text) == c.want);
  }
}

TEST_CASE("read_duration_ms: a unit must be there") {
  struct Case {
    std::string_view text;
    std::optional<std::uint64_t> want;
  };
  static constexpr Case cases[] = {
      {"0s", 0},   {"500ms", 500}, {"10s", 10'000},    {"2m", 120'000}, {"1h", 3'600'000},
      {"10", {}},  {"", {}},       {"s", {}},          {"10S", {}},     {"1.5s", {}},
      {"-1s", {}}, {"1s ", {}},    {"1d", 86'400'000}, {"1w", {}},      {"18446744073709551615h", {}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK(read_duration_ms(c.text) == c.want);
  }
}

TEST_CASE("show_size and show_duration are read back as they were") {
  for (const std::uint64_t bytes :
       {0ull, 1ull, 1023ull, 1024ull, 1025ull, 16'384ull, 8ull << 20, 3ull << 40}) {
    CAPTURE(bytes);
    CHECK(read_size(show_size(bytes)) == bytes);
  }
  for (const std::uint64_t ms : {0ull, 1ull, 999ull, 1000ull, 1500ull, 60'000ull, 90'000ull, 86'400'000ull}) {
    CAPTURE(ms);
    CHECK(read_duration_ms(show_duration(ms)) == ms);
  }
  CHECK(show_size(16'384) == "16k");
  CHECK(show_duration(75'000) == "75s");
  CHECK(show_duration(0) == "0s");
}

TEST_CASE("quoted: a basic string of TOML") {
  CHECK(quoted("plain") == "\"plain\"");
  CHECK(quoted("a\"b\\c\nd\x01") == "\"a\\\"b\\\\c\\nd\\u0001\"");
}
