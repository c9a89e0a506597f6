// Goal: RFC 4648's vectors without their padding, and that only what was written so is read.
#include "engine/base/base64url.hpp"

#include <doctest/doctest.h>

#include <utility>

using namespace millrace;

TEST_CASE("base64url: both ways") {
  static constexpr std::pair<std::string_view, std::string_view> cases[] = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xbf", "-_-_"},
  };
  for (const auto& [bytes, text] : cases) {
    CAPTURE(text);
    CHECK(to_base64url(bytes) == text);
    CHECK(from_base64url(text) == bytes);
  }
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  CHECK(from_base64url(to_base64url(all)) == all);
}

TEST_CASE("base64url: what is refused") {
  for (std::string_view text :
       {"Z", "Zg=", "Zg==", "Zm9vY", "Zh", "Zm9", "Z/", "Z+", "Zm 8", "Zm8\n", "Zm\xc3\xa9"}) {
    CAPTURE(text);
    CHECK_FALSE(from_base64url(text).has_value());
  }
}
