#include "engine/ext/log/line.hpp"

#include <time.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "engine/base/assert.hpp"

namespace millrace::log {
namespace {

constexpr std::string_view hex = "0123456789abcdef";
constexpr std::size_t escape_bytes = 6;  // \u00hh, the longest.
// Seven texts of a client, each byte escaped; the others are short, and so is what stands around.
static_assert(7 * text_bytes_max * escape_bytes + 2048 <= line_bytes_max);

class Line {
 public:
  explicit Line(std::span<char> out) noexcept
      : begin_(out.data()), to_(out.data()), end_(out.data() + out.size()) {}

  Line& put(std::string_view text) noexcept {
    MR_ASSERT(text.size() <= static_cast<std::size_t>(end_ - to_));
    to_ += text.copy(to_, text.size());
    return *this;
  }
  Line& number(std::uint64_t value) noexcept {
    to_ = std::to_chars(to_, end_, value).ptr;
    return *this;
  }
  Line& padded(std::uint64_t value, unsigned digits) noexcept {
    for (unsigned i = digits; i > 0; --i, value /= 10) to_[i - 1] = static_cast<char>('0' + value % 10);
    to_ += digits;
    return *this;
  }
  /// For quotes of the combined format.
  Line& escaped(std::string_view text) noexcept {
    return each(text, "\\x", [](unsigned char byte) {
      return byte < 0x20 || byte >= 0x7f || byte == '"' || byte == '\\';
    });
  }
  Line& json(std::string_view text) noexcept {
    put("\"");
    each(text, "\\u00",
         [](unsigned char byte) { return byte < 0x20 || byte >= 0x7f || byte == '"' || byte == '\\'; });
    return put("\"");
  }
  std::size_t size() const noexcept { return static_cast<std::size_t>(to_ - begin_); }

 private:
  template <class Odd>
  Line& each(std::string_view text, std::string_view escape, Odd&& odd) noexcept {
    for (const char byte : text.substr(0, text_bytes_max)) {
      const auto value = static_cast<unsigned char>(byte);
      if (!odd(value)) {
        *to_++ = byte;
        continue;
      }
      put(escape);
      *to_++ = hex[value >> 4];
      *to_++ = hex[value & 15];
    }
    return *this;
  }
  char* begin_;
  char* to_;
  char* end_;
};

struct tm broken_down(std::int64_t unix_ms) noexcept {
  const time_t seconds = static_cast<time_t>(unix_ms / 1000);
  struct tm parts {};
  ::gmtime_r(&seconds, &parts);
  return parts;
}

constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::uint64_t at(int part) noexcept { return static_cast<std::uint64_t>(part); }

std::string_view or_dash(std::string_view text) noexcept { return text.empty() ? "-" : text; }

void put_pair(Line& line, std::string_view name, std::string_view value) noexcept {
  if (!value.empty()) line.put(",\"").put(name).put("\":").json(value);
}

}  // namespace

std::size_t write_combined(const Facts& facts, std::span<char, line_bytes_max> out) noexcept {
  const struct tm when = broken_down(facts.unix_ms);
  Line line(out);
  line.put(or_dash(facts.remote)).put(" - ").escaped(or_dash(facts.user)).put(" [");
  line.padded(at(when.tm_mday), 2).put("/").put(months[static_cast<std::size_t>(when.tm_mon)]).put("/");
  line.padded(at(when.tm_year + 1900), 4).put(":").padded(at(when.tm_hour), 2).put(":");
  line.padded(at(when.tm_min), 2).put(":").padded(at(when.tm_sec), 2).put(" +0000] \"");
  if (facts.method.empty()) {
    line.put("-");
  } else {
    line.escaped(facts.method).put(" ").escaped(facts.target).put(" HTTP/1.").number(facts.version_minor);
  }
  line.put("\" ").number(facts.status).put(" ").number(facts.body_bytes).put(" \"");
  line.escaped(or_dash(facts.referer)).put("\" \"").escaped(or_dash(facts.agent)).put("\"\n");
  return line.size();
}

std::size_t write_json(const Facts& facts, std::span<char, line_bytes_max> out) noexcept {
  const struct tm when = broken_down(facts.unix_ms);
  Line line(out);
  line.put("{\"time\":\"")
      .padded(at(when.tm_year + 1900), 4)
      .put("-")
      .padded(at(when.tm_mon + 1), 2)
      .put("-");
  line.padded(at(when.tm_mday), 2)
      .put("T")
      .padded(at(when.tm_hour), 2)
      .put(":")
      .padded(at(when.tm_min), 2)
      .put(":");
  line.padded(at(when.tm_sec), 2)
      .put(".")
      .padded(static_cast<std::uint64_t>(facts.unix_ms % 1000), 3)
      .put("Z\"");
  line.put(",\"status\":").number(facts.status).put(",\"bytes\":").number(facts.body_bytes);
  line.put(",\"duration_us\":").number(facts.elapsed_ns / 1000);
  put_pair(line, "remote", facts.remote);
  put_pair(line, "user", facts.user);
  put_pair(line, "method", facts.method);
  put_pair(line, "target", facts.target);
  put_pair(line, "host", facts.host);
  put_pair(line, "referer", facts.referer);
  put_pair(line, "agent", facts.agent);
  put_pair(line, "route", facts.route);
  put_pair(line, "id", facts.id);
  line.put("}\n");
  return line.size();
}

}  // namespace millrace::log
