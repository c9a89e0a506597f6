// Goal: docs/CONFIGURATION.md has every setting with its default, and none that there is not.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "engine/config/config.hpp"
#include "engine/config/setting.hpp"

using namespace millrace::config;

TEST_CASE("docs/CONFIGURATION.md: every setting, in the order of the table, with its default") {
  std::ifstream file(MR_SOURCE_ROOT "/docs/CONFIGURATION.md");
  REQUIRE(file.good());
  std::ostringstream whole;
  whole << file.rdbuf();
  const std::string text = whole.str();
  Report report;
  Flags flags;
  flags.config = "/dev/null";
  const Config defaults = load(flags, {}, report);
  std::size_t at = text.find("## Settings");
  std::string_view section;
  for (const Setting& setting : settings) {
    CAPTURE(setting.section);
    CAPTURE(setting.key);
    if (setting.section != section) {
      section = setting.section;
      at = text.find("### [" + std::string(section) + "]", at);
      REQUIRE(at != std::string::npos);
    }
    const std::string row =
        "\n| `" + std::string(setting.key) + "` | `" + show(setting, defaults.server) + "` | ";
    at = text.find("\n| `", at);
    REQUIRE(at != std::string::npos);
    CHECK(text.substr(at, row.size()) == row);
    ++at;
  }
  // Behind the last setting no row follows before the next chapter.
  CHECK(text.find("\n| `", at) > text.find("\n## ", at));
  const std::size_t around = text.find("## Around every route");
  for (const char* key : {"[access_log] path",
                          "[access_log] format",
                          "[headers]",
                          "[rate_limit] per_second",
                          "[rate_limit] burst",
                          "[compress] min",
                          "[compress] max",
                          "[compress] types",
                          "[cors] origins",
                          "[cors] methods",
                          "[cors] headers",
                          "[cors] expose",
                          "[cors] credentials",
                          "[cors] max_age",
                          "[security_headers] content_type_options",
                          "[security_headers] frame_options",
                          "[security_headers] referrer_policy",
                          "[security_headers] cross_origin_opener_policy",
                          "[security_headers] content_security_policy",
                          "[security_headers] permissions_policy",
                          "[auth] users",
                          "[auth] tokens",
                          "[auth] realm"}) {
    CAPTURE(key);
    CHECK(text.find("\n| `" + std::string(key) + "` |", around) != std::string::npos);
  }
  CHECK(text.find("`[tls] hsts = ") != std::string::npos);
  for (const char* key : {"path", "respond", "redirect", "files", "hosts", "headers", "rate_limit", "body",
                          "compress", "cors", "auth"}) {
    CAPTURE(key);
    CHECK(text.find("\n| `" + std::string(key) + "` |", text.find("## [[route]]")) != std::string::npos);
  }
}
