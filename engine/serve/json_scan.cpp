#include "engine/serve/json_scan.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <span>

#include "engine/base/assert.hpp"

namespace millrace::serve {
namespace {

using detail::JsonFault;
using detail::JsonStep;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// The size of the UTF-8 sequence at the front, 0 where there is none. Source: RFC 3629 section 4.
std::size_t utf8_size(std::string_view bytes) noexcept {
  const auto at = [&](std::size_t index) {
    return index < bytes.size() ? static_cast<unsigned char>(bytes[index]) : 0u;
  };
  const auto tail = [&](std::size_t index) { return (at(index) & 0xc0) == 0x80; };
  const unsigned first = at(0), second = at(1);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool overlong = first == 0xe0 && second < 0xa0, surrogate = first == 0xed && second > 0x9f;
    return tail(1) && tail(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool overlong = first == 0xf0 && second < 0x90, beyond = first == 0xf4 && second > 0x8f;
    return tail(1) && tail(2) && tail(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

/// True for a number, valid in form, that is too large for a double. One too small is 0, and no fault.
bool overflows(std::string_view number) noexcept {
  double value;
  if (std::from_chars(number.data(), number.data() + number.size(), value).ec == std::errc{}) return false;
  // Out of range at one of the two ends: the sign of the decimal exponent of the first digit tells which.
  const std::size_t e = std::min(number.find_first_of("eE"), number.size());
  const std::size_t point = std::min(number.find('.'), e);
  const auto leading = static_cast<std::int64_t>(number.find_first_of("123456789"));
  const std::int64_t places = static_cast<std::int64_t>(point) - leading;  // > 0: before the point.
  std::string_view exponent = number.substr(std::min(e + 1, number.size()));
  const bool negative = exponent.starts_with('-');
  if (negative || exponent.starts_with('+')) exponent.remove_prefix(1);
  std::int64_t size = 0;
  if (std::from_chars(exponent.data(), exponent.data() + exponent.size(), size).ec ==
      std::errc::result_out_of_range) {
    return !negative;
  }
  return places + (negative ? -size : size) > 0;
}

/// One walk over a text. Recursion is bounded by json_depth_max.
class Scan {
 public:
  explicit Scan(std::string_view text) noexcept : text_(text) {}

  /// Innermost first, as in a fault: where does that value begin?
  void look_for(std::span<const JsonStep> steps) noexcept {
    wanted_ = steps;
    looking_ = true;
  }
  std::size_t found() const noexcept { return found_; }

  bool document() noexcept {
    if (!value()) return false;
    skip_space();
    return at_ == text_.size() || fail("expected nothing more");
  }

  void report(JsonFault& fault) const {
    fault.problem = problem_;
    fault.offset = at_;
    fault.steps.clear();
    for (std::size_t level = depth_; level-- > 0;) fault.steps.push_back(stack_[level]);
  }

 private:
  bool fail(const char* problem) noexcept {
    problem_ = problem;
    return false;
  }
  bool fail_at(std::size_t at, const char* problem) noexcept {
    at_ = at;
    return fail(problem);
  }
  char peek() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) noexcept {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void skip_space() noexcept { at_ = std::min(text_.find_first_not_of(" \t\n\r", at_), text_.size()); }

  bool value() noexcept {
    skip_space();
    if (looking_ && here()) found_ = at_;
    switch (peek()) {
      case '{': return object();
      case '[': return array();
      case '"': return string();
      case 't': return literal("true");
      case 'f': return literal("false");
      case 'n': return literal("null");
      default: return peek() == '-' || is_digit(peek()) ? number() : fail("expected a value");
    }
  }

  bool object() noexcept {
    ++at_;
    skip_space();
    if (take('}')) return true;
    for (std::uint32_t child = 0;; ++child) {
      skip_space();
      const std::size_t name_at = at_;
      if (peek() != '"') return fail("expected a name in quotes");
      if (!string()) return false;
      const std::string_view name = text_.substr(name_at + 1, at_ - name_at - 2);
      skip_space();
      if (!take(':')) return fail("expected a colon");
      if (!within({name, child, true})) return false;
      if (take('}')) return true;
      if (!take(',')) return fail("expected a comma or a closing brace");
    }
  }

  bool array() noexcept {
    ++at_;
    skip_space();
    if (take(']')) return true;
    for (std::uint32_t child = 0;; ++child) {
      if (!within({{}, child, false})) return false;
      if (take(']')) return true;
      if (!take(',')) return fail("expected a comma or a closing bracket");
    }
  }

  /// A value one level down, and the space behind it.
  bool within(JsonStep step) noexcept {
    if (depth_ == stack_.size()) {
      skip_space();
      return fail("expected no more than 64 levels");
    }
    stack_[depth_++] = step;
    if (!value()) return false;  // The stack is left as it is: it says where the fault is.
    --depth_;
    skip_space();
    return true;
  }

  bool string() noexcept {
    ++at_;
    while (at_ < text_.size()) {
      if (take('"')) return true;
      if (peek() == '\\') {
        if (!escape()) return false;
        continue;
      }
      if (static_cast<unsigned char>(peek()) < 0x20) return fail("expected control characters to be escaped");
      const std::size_t size = utf8_size(text_.substr(at_));
      if (size == 0) return fail("expected UTF-8");
      at_ += size;
    }
    return fail("expected a closing quote");
  }

  bool escape() noexcept {
    const std::size_t start = at_++;
    if (peek() != 'u') {
      if (peek() == '\0' || std::string_view("\"\\/bfnrt").find(peek()) == std::string_view::npos) {
        return fail("expected an escape of JSON");
      }
      ++at_;
      return true;
    }
    unsigned unit = 0;
    if (!hex_unit(unit)) return false;
    if (unit < 0xd800 || unit > 0xdfff) return true;
    // Half of a character beyond 16 bits: the high half comes first, then the low one.
    unsigned low = 0;
    if (unit > 0xdbff || !take('\\')) return fail_at(start, "expected a surrogate pair");
    if (peek() != 'u') return fail_at(start, "expected a surrogate pair");
    if (!hex_unit(low)) return false;
    return (low >= 0xdc00 && low <= 0xdfff) || fail_at(start, "expected a surrogate pair");
  }

  bool hex_unit(unsigned& unit) noexcept {
    ++at_;  // The `u`.
    for (int digit = 0; digit < 4; ++digit, ++at_) {
      const char c = peek();
      const unsigned lower = static_cast<unsigned char>(c) | 0x20u;
      if (!is_digit(c) && (lower < 'a' || lower > 'f')) return fail("expected four hexadecimal digits");
      unit = unit * 16 + (is_digit(c) ? static_cast<unsigned>(c - '0') : lower - 'a' + 10);
    }
    return true;
  }

  bool literal(std::string_view word) noexcept {
    for (const char c : word) {
      if (!take(c)) return fail("expected a value");
    }
    return true;
  }

  bool digits() noexcept {
    if (!is_digit(peek())) return fail("expected a digit");
    while (is_digit(peek())) ++at_;
    return true;
  }

  bool number() noexcept {
    const std::size_t start = at_;
    bool whole = true;
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.')) {
      whole = false;
      if (!digits()) return false;
    }
    if (take('e') || take('E')) {
      whole = false;
      if (!take('+')) take('-');
      if (!digits()) return false;
    }
    const std::string_view text = text_.substr(start, at_ - start);
    if (whole ? fits_integer(text) : !overflows(text)) return true;
    return fail_at(start,
                   whole ? "expected an integer of at most 64 bits" : "expected a number that fits a double");
  }

  static bool fits_integer(std::string_view text) noexcept {
    const char* end = text.data() + text.size();
    std::int64_t negative;
    std::uint64_t positive;
    return text.starts_with('-') ? std::from_chars(text.data(), end, negative).ec == std::errc{}
                                 : std::from_chars(text.data(), end, positive).ec == std::errc{};
  }

  bool here() const noexcept {
    if (depth_ != wanted_.size()) return false;
    for (std::size_t level = 0; level < depth_; ++level) {
      if (stack_[level].child != wanted_[depth_ - 1 - level].child) return false;
    }
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::array<JsonStep, detail::json_depth_max> stack_;
  std::span<const JsonStep> wanted_;
  std::size_t found_ = 0;
  bool looking_ = false;
  const char* problem_ = "";
};

}  // namespace

bool find_json_fault(std::string_view text, JsonFault& fault) {
  Scan scan(text);
  if (scan.document()) return false;
  scan.report(fault);
  return true;
}

std::size_t json_offset(std::string_view text, const JsonFault& fault) {
  Scan scan(text);
  scan.look_for(fault.steps);
  const bool valid = scan.document();
  MR_ASSERT(valid);
  return scan.found();
}

}  // namespace millrace::serve
