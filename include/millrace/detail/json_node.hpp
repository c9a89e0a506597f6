// json_node.hpp: a parsed JSON text, behind an interface that names no parser.
//
// Lifetime    the nodes of a text, and the strings they give, live until the thread's next json_parse().
#pragma once

#include <cstddef>
#include <cstdint>
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

/// A value in the parsed text. A handle of two words, copied freely.
class JsonNode {
 public:
  JsonKind kind() const noexcept;
  // Each only for a node of that kind.
  bool boolean() const noexcept;
  std::int64_t integer() const noexcept;
  std::uint64_t unsigned_integer() const noexcept;
  double number() const noexcept;
  std::string_view string() const noexcept;  ///< Unescaped, valid UTF-8.

 private:
  friend struct JsonAccess;
  [[maybe_unused]] alignas(void*) unsigned char handle_[2 * sizeof(void*)];  // The parser's own.
};

/// The elements of an array, in order.
class JsonElements {
 public:
  explicit JsonElements(const JsonNode& array) noexcept;
  bool next(JsonNode& element) noexcept;

 private:
  JsonNode at_, end_;
};

/// The members of an object, in order; a name that stands twice comes twice.
class JsonMembers {
 public:
  explicit JsonMembers(const JsonNode& object) noexcept;
  bool next(std::string_view& name, JsonNode& value) noexcept;

 private:
  JsonNode at_, end_;
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
