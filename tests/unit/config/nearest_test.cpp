#include "engine/config/nearest.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace millrace::config;

TEST_CASE("edit_distance") {
  struct Case {
    std::string_view a, b;
    std::size_t want;
  };
  static constexpr Case cases[] = {
      {"", "", 0},          {"", "abc", 3},          {"abc", "", 3},    {"same", "same", 0},
      {"cores", "core", 1}, {"listen", "lsiten", 1}, {"abc", "axc", 1}, {"kitten", "sitting", 3},
  };
  for (const Case& c : cases) {
    CAPTURE(c.a);
    CHECK(edit_distance(c.a, c.b) == c.want);
    CHECK(edit_distance(c.b, c.a) == c.want);
  }
}

TEST_CASE("nearest: least distance, the first of equals") {
  static constexpr std::array<std::string_view, 3> names = {"header", "headers", "body"};
  CHECK(nearest("heders", names) == "headers");
  CHECK(nearest("headerx", names) == "header");
  CHECK(nearest("bdoy", names) == "body");
  CHECK(nearest("x", {}).empty());
}
