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
  const Config defaults = load({.config = "/dev/null"}, {}, report);
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
  for (const char* key : {"path", "respond", "redirect", "files", "hosts", "headers", "rate_limit", "body"}) {
    CAPTURE(key);
    CHECK(text.find("\n| `" + std::string(key) + "` |", text.find("## [[route]]")) != std::string::npos);
  }
}
