#include "engine/config/file_text.hpp"

#include <algorithm>
#include <cstdint>

namespace millrace::config {
namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
constexpr std::size_t quotes = 3;  ///< Around a text of several lines.
constexpr std::string_view blanks = " \t\r\n";

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
      // One that ends a line takes the blanks and lines behind it along.
      const std::size_t next = std::min(text.find_first_not_of(blanks, at + 1), text.size());
      if (next < text.size() && beyond_ascii(text[next])) return next;
      at = std::max(next, at + 2);
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

/// Behind a key: its bare parts, its quoted ones, dots and blanks; npos where something else stands there.
std::size_t pass_key(std::string_view text, std::size_t at) noexcept {
  constexpr std::string_view bare = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-. \t";
  while (at < text.size() && text[at] != '=') {
    if (text[at] == '"' || text[at] == '\'')
      at = pass_text(text, at);
    else if (bare.find(text[at++]) == std::string_view::npos)
      return std::string_view::npos;
  }
  return at;
}

/// Whether quotes behind these characters, which follow a line's begin, a comma or a bracket, begin a text for sure:
/// they are a key's or an element's first, or a value's. Others are in a dotted key (`a."b"`), or a mistake, in which
/// toml++ may look for the end of a number.
bool begin_text(std::string_view before, bool in_array) noexcept {
  const std::size_t first = before.find_first_not_of(blanks);
  if (first == std::string_view::npos) return true;
  const std::size_t equals = in_array ? std::string_view::npos : pass_key(before, first);
  return equals < before.size() && before.find_first_not_of(blanks, equals + 1) == std::string_view::npos;
}

bool is_ascii(std::string_view text) noexcept { return std::none_of(text.begin(), text.end(), beyond_ascii); }

}  // namespace

std::size_t find_stray_character(std::string_view text) noexcept {
  std::size_t at = text.starts_with(byte_order_mark) ? byte_order_mark.size() : 0;
  std::size_t begin = at;      // Behind the last end of a line, comma or opening bracket.
  std::uint64_t brackets = 0;  // Those that are open, the innermost in the lowest bit: 1 is an array's.
  while (at < text.size()) {
    const char c = text[at];
    const auto begins = [&] { return begin_text(text.substr(begin, at - begin), (brackets & 1) != 0); };
    if (c == '#') {
      at = std::min(text.find('\n', at), text.size());
    } else if (c == '"' || c == '\'') {
      const std::size_t end = pass_text(text, at);
      if (!is_ascii(text.substr(at, end - at)) && !begins()) return at;
      at = end;
    } else if (beyond_ascii(c)) {
      return at;
    } else {
      const bool opens = (c == '[' || c == '{') && begins();  // Not within a number.
      if (opens) brackets = brackets << 1 | (c == '[' ? 1 : 0);
      if (c == ']' || c == '}') brackets >>= 1;
      ++at;
      if (opens || c == ',' || c == '\n') begin = at;
    }
  }
  return text.size();
}

}  // namespace millrace::config
