// Goal: status lines are well formed and reasons are the registry's.
#include "engine/http/status.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace millrace::http;

TEST_CASE("status_line_of: every code is its own line, or none") {
  unsigned known = 0;
  for (unsigned code = 0; code < 1000; ++code) {
    const std::string_view line = status_line_of(code);
    CHECK(line.empty() == reason_of(code).empty());
    if (line.empty()) continue;
    ++known;
    CHECK(line == "HTTP/1.1 " + std::to_string(code) + " " + std::string(reason_of(code)) + "\r\n");
  }
  CHECK(known == 60);
}

TEST_CASE("reason_of: RFC 9110 section 15") {
  CHECK(reason_of(200) == "OK");
  CHECK(reason_of(404) == "Not Found");
  CHECK(reason_of(413) == "Content Too Large");
  CHECK(reason_of(431) == "Request Header Fields Too Large");
  CHECK(reason_of(505) == "HTTP Version Not Supported");
  CHECK(reason_of(299) == "");
  CHECK(reason_of(100'000) == "");
}
