#include "engine/config/file_text.hpp"

#include <algorithm>

namespace millrace::config {
namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
constexpr std::size_t quotes = 3;  ///< Around a text of several lines.

bool beyond_ascii(char c) noexcept { return static_cast<unsigned char>(c) >= 0x80; }

bool three_quotes(std::string_view text, std::size_t at) noexcept {
  const std::string_view three = text.substr(at, quotes);
  return three == "\"\"\"" || three == "'''";
}

/// Behind a text in quotes that begins there, or at what is stray in it. One without an end, toml++ refuses.
std::size_t pass_text(std::string_view text, std::size_t at) noexcept {
  const char quote = text[at];
  const bool lines = three_quotes(text, at);
  at += lines ? quotes : 1;
  while (at < text.size()) {
    if (quote == '"' && text[at] == '\\') {
      ++at;
      if (at < text.size() && beyond_ascii(text[at])) return at;
      ++at;
    } else if (!lines && text[at] == '\n') {
      return at;
    } else if (text[at] != quote) {
      ++at;
    } else if (!lines) {
      return at + 1;
    } else if (three_quotes(text, at)) {
      // Two more may stand before those that end it (TOML 1.0, "String").
      const std::size_t run = text.find_first_not_of(quote, at);
      return std::min({run, at + quotes + 2, text.size()});
    } else {
      ++at;
    }
  }
  return text.size();
}

/// Whether the quotes there begin a text for sure. Those behind other characters are in a dotted key (`a."b"`), or a
/// mistake, in which toml++ may look for the end of a number.
bool begins_text(std::string_view text, std::size_t at) noexcept {
  return at == 0 || std::string_view(" \t\r\n=,[{").find(text[at - 1]) != std::string_view::npos ||
         text.substr(0, at) == byte_order_mark;
}

bool is_ascii(std::string_view text) noexcept { return std::none_of(text.begin(), text.end(), beyond_ascii); }

}  // namespace

std::size_t find_stray_character(std::string_view text) noexcept {
  std::size_t at = text.starts_with(byte_order_mark) ? byte_order_mark.size() : 0;
  while (at < text.size()) {
    if (text[at] == '#') {
      at = std::min(text.find('\n', at), text.size());
    } else if (text[at] == '"' || text[at] == '\'') {
      const std::size_t end = pass_text(text, at);
      if (!begins_text(text, at) && !is_ascii(text.substr(at, end - at))) return at;
      at = end;
    } else if (beyond_ascii(text[at])) {
      return at;
    } else {
      ++at;
    }
  }
  return text.size();
}

}  // namespace millrace::config
