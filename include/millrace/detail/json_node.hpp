// json_node.hpp: a parsed JSON text: a view of simdjson's tape (its doc/tape.md), read here without a call, because a
// reader asks several times for each value. json_node.cpp holds what it knows of the parser.
//
// Lifetime    the nodes of a text, and the strings they give, live until the thread's next json_parse().
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::detail {

enum class JsonKind : std::uint8_t {
  null,
  boolean,
  integer,           ///< Fits an std::int64_t.
  unsigned_integer,  ///< Above that: fits an std::uint64_t.
  number,            ///< With a fraction or an exponent.
  string,
  array,
  object,
};

/// A value in the parsed text, copied freely. A word of the tape has its type in the highest byte.
class JsonNode {
 public:
  JsonNode() = default;
  JsonNode(const std::uint64_t* tape, const unsigned char* strings, std::size_t at) noexcept
      : tape_(tape), strings_(strings), at_(at) {}

  JsonKind kind() const noexcept {
    switch (type()) {
      case 'n': return JsonKind::null;
      case 't':
      case 'f': return JsonKind::boolean;
      case 'l': return JsonKind::integer;
      case 'u': return JsonKind::unsigned_integer;
      case 'd': return JsonKind::number;
      case '"': return JsonKind::string;
      case '[': return JsonKind::array;
      default: return JsonKind::object;
    }
  }
  // Each only for a node of that kind.
  bool boolean() const noexcept { return type() == 't'; }
  std::int64_t integer() const noexcept { return static_cast<std::int64_t>(tape_[at_ + 1]); }
  std::uint64_t unsigned_integer() const noexcept { return tape_[at_ + 1]; }
  double number() const noexcept { return std::bit_cast<double>(tape_[at_ + 1]); }
  /// Unescaped, valid UTF-8.
  std::string_view string() const noexcept {
    const unsigned char* const text = strings_ + (tape_[at_] & payload_mask);
    std::uint32_t size = 0;
    std::memcpy(&size, text, sizeof size);
    return {reinterpret_cast<const char*>(text) + sizeof size, size};
  }
  /// Of an array: how many elements, or a little less than there are where they are millions.
  std::size_t count() const noexcept { return (tape_[at_] >> 32) & 0xff'ffff; }

 private:
  friend class JsonElements;
  friend class JsonMembers;
  static constexpr std::uint64_t payload_mask = (1ull << 56) - 1;

  char type() const noexcept { return static_cast<char>(tape_[at_] >> 56); }
  /// Where the next sibling, or the end of what both are in, stands.
  std::size_t after() const noexcept {
    switch (type()) {
      case '[':
      case '{': return static_cast<std::uint32_t>(tape_[at_]);
      case 'l':
      case 'u':
      case 'd': return at_ + 2;
      default: return at_ + 1;
    }
  }

  const std::uint64_t* tape_ = nullptr;
  const unsigned char* strings_ = nullptr;
  std::size_t at_ = 0;
};

/// The elements of an array, in order.
class JsonElements {
 public:
  explicit JsonElements(const JsonNode& array) noexcept : next_(array) { ++next_.at_; }
  bool next(JsonNode& element) noexcept {
    if (next_.type() == ']') return false;
    element = next_;
    next_.at_ = next_.after();
    return true;
  }

 private:
  JsonNode next_;
};

/// The members of an object, in order; a name that stands twice comes twice.
class JsonMembers {
 public:
  explicit JsonMembers(const JsonNode& object) noexcept : next_(object) { ++next_.at_; }
  bool next(std::string_view& name, JsonNode& value) noexcept {
    if (next_.type() == '}') return false;
    name = next_.string();
    ++next_.at_;
    value = next_;
    next_.at_ = next_.after();
    return true;
  }

 private:
  JsonNode next_;  ///< A name, or the end.
};

/// One step from the root to a value.
struct JsonStep {
  std::string_view name;    ///< Of the member; unused in an array.
  std::uint32_t child = 0;  ///< Which one of its siblings, counted from 0.
  bool member = false;      ///< Of an object.
};

/// What is wrong with a text, and where.
struct JsonFault {
  static constexpr std::size_t nowhere = ~std::size_t{0};

  std::string problem;           ///< "expected an integer".
  std::vector<JsonStep> steps;   ///< To the value at fault, innermost first: added on the way out.
  std::string_view missing;      ///< The name of the field that the object at the end of the steps lacks.
  std::size_t offset = nowhere;  ///< In bytes, where it is known already; else by the steps.
  std::uint16_t status = 400;    ///< 503 where only memory was missing.

  /// For the one line of a reader that refuses: always false.
  bool refuse(std::string_view why) {
    problem = why;
    return false;
  }
  bool within(JsonStep step) {
    steps.push_back(step);
    return false;
  }
};

/// Deeper texts are refused, so that no reader needs much stack.
inline constexpr unsigned json_depth_max = 64;

/// Parses the whole of `text`, strictly after RFC 8259: one value, nothing behind it, UTF-8 without a
/// byte order mark; integers that do not fit 64 bits and numbers beyond a double are refused, too.
/// At least 64 bytes behind the text must be readable. Allocates only for a text larger than those before.
bool json_parse(std::string_view text, JsonNode& root, JsonFault& fault) noexcept;

/// "JSON: expected an integer at $.items[3].id, byte 57". The text as given to json_parse(), which must
/// not have been called since.
std::string json_fault_text(std::string_view text, const JsonFault& fault);

/// application/json, any */*+json, or no Content-Type at all (RFC 6839 section 3.1); parameters are ignored.
bool is_json_type(std::string_view content_type) noexcept;

}  // namespace millrace::detail
