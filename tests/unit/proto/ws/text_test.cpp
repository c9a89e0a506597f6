// Goal: masking and UTF-8, byte by byte as in any other cut. Source: RFC 6455 sections 5.3 and 8.1, RFC 3629.
#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <string_view>

#include "engine/proto/ws/mask.hpp"
#include "engine/proto/ws/utf8.hpp"

using namespace millrace::ws;
using namespace std::string_view_literals;

TEST_CASE("ws unmask: every size and position, in place and apart") {
  const unsigned char key[4] = {0x37, 0xfa, 0x21, 0x3d};
  std::uint32_t mask;
  std::memcpy(&mask, key, 4);
  for (std::size_t size = 0; size <= 130; ++size) {
    for (std::size_t position = 0; position < 5; ++position) {
      std::string from(size, '\0'), want(size, '\0');
      for (std::size_t i = 0; i < size; ++i) {
        from[i] = static_cast<char>(i * 7);
        want[i] = static_cast<char>(from[i] ^ key[(position + i) % 4]);
      }
      std::string apart(size, '?');
      unmask(apart.data(), from.data(), size, mask, position);
      CHECK(apart == want);
      unmask(from.data(), from.data(), size, mask, position);
      CHECK(from == want);
    }
  }
}

namespace {

struct Case {
  const char* name;
  std::string_view text;
  bool good;
};

constexpr Case cases[] = {
    {"empty", "", true},
    {"ASCII", "Hello, world", true},
    {"two, three and four bytes", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"sv, true},
    {"kosme", "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"sv, true},
    {"first of each length", "\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80"sv, true},
    {"last of each length", "\xdf\xbf\xef\xbf\xbf\xf4\x8f\xbf\xbf"sv, true},
    {"around the surrogates", "\xed\x9f\xbf\xee\x80\x80"sv, true},
    {"a surrogate", "ab\xed\xa0\x80"sv, false},
    {"past the end", "\xf4\x90\x80\x80"sv, false},
    {"overlong, two bytes", "\xc0\xaf"sv, false},
    {"overlong, three bytes", "\xe0\x80\xaf"sv, false},
    {"overlong, four bytes", "\xf0\x80\x80\xaf"sv, false},
    {"five bytes", "\xf8\x88\x80\x80\x80"sv, false},
    {"stray continuation", "a\x80"sv, false},
    {"four stray continuations", "\x80\x80\x80\x80"sv, false},
    {"cut by another character", "\xe2\x82 "sv, false},
    {"cut by the end", "abc\xe2\x82"sv, false},
    {"ff", "\xff"sv, false},
};

}  // namespace

TEST_CASE("ws utf-8: whole, and growing by every cut") {
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK((check_utf8(c.text, 0) == c.text.size()) == c.good);
    for (std::size_t cut = 0; cut <= c.text.size(); ++cut) {
      CAPTURE(cut);
      std::size_t checked = check_utf8(c.text.substr(0, cut), 0);
      if (checked != not_utf8) checked = check_utf8(c.text, checked);
      CHECK((checked == c.text.size()) == c.good);
    }
    std::size_t checked = 0;
    for (std::size_t end = 1; end <= c.text.size() && checked != not_utf8; ++end) {
      checked = check_utf8(c.text.substr(0, end), checked);
    }
    CHECK((checked == c.text.size()) == c.good);
  }
}

TEST_CASE("ws utf-8: refused at the byte that settles it") {
  CHECK(check_utf8("\xed\xa0"sv, 0) == not_utf8);
  CHECK(check_utf8("\xf4\x90"sv, 0) == not_utf8);
  CHECK(check_utf8("\xe0\x80"sv, 0) == not_utf8);
  CHECK(check_utf8("\xf0\x8f"sv, 0) == not_utf8);
  CHECK(check_utf8("\xc1"sv, 0) == not_utf8);
  CHECK(check_utf8("\xf5"sv, 0) == not_utf8);
  CHECK(check_utf8("ab\xf0\x9f\x98"sv, 0) == 2);
}
