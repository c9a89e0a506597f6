// The parts of the file handler that need no directory.
#include <doctest/doctest.h>

#include <array>
#include <string>

#include "engine/ext/files/location.hpp"
#include "engine/ext/files/mime.hpp"
#include "engine/ext/files/root.hpp"

using namespace millrace::files;

TEST_CASE("media_type_of") {
  struct Case {
    std::string_view name, want;
  };
  static constexpr Case cases[] = {
      {"a.html", "text/html; charset=utf-8"},
      {"A.HTML", "text/html; charset=utf-8"},
      {"dir.d/a.js", "text/javascript; charset=utf-8"},
      {"x.min.css", "text/css; charset=utf-8"},
      {"a.7z", "application/x-7z-compressed"},
      {"a.zst", "application/zstd"},
      {"a.woff2", "font/woff2"},
      {"a.zzz", "application/octet-stream"},
      {"a.", "application/octet-stream"},
      {"", "application/octet-stream"},
      {"html", "application/octet-stream"},
      {"a.abcdefghijklmnopqrstuvwxyz", "application/octet-stream"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(media_type_of(c.name) == c.want);
  }
}

TEST_CASE("servable") {
  for (const char* good : {"", "a", "a/", "a/b.c", "a..b", "a/.well-known/b"}) {
    CAPTURE(good);
    CHECK(servable(good, false));
    CHECK(servable(good, true));
  }
  for (const char* bad : {".", "..", "/", "/a", "a//b", "a/../b", "a/.", ".a", "a/.b/c", "..a"}) {
    CAPTURE(bad);
    CHECK(!servable(bad, false));
  }
  CHECK(!servable(std::string_view("a\0b", 3), false));
  CHECK(servable(".a/.b", true));
  for (const char* bad : {".", "..", "a/..", "../a", "a//b"}) CHECK(!servable(bad, true));
}

TEST_CASE("write_location: encodes again, keeps the query, says when there is no room") {
  std::array<char, 64> out;
  millrace::http::Target target;
  target.path = "/a b/\"\xc3\xa9\r";
  CHECK(write_location(target, out) == "Location: /a%20b/%22%C3%A9%0D/\r\n");
  target.path = "/d";
  target.query = "x=%20";
  CHECK(write_location(target, out) == "Location: /d/?x=%20\r\n");
  CHECK(write_location(target, std::span(out).first(20)).empty());
  CHECK(write_location(target, std::span(out).first(21)).size() == 21);
  CHECK(write_location(target, {}).empty());
}
