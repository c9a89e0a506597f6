// Parsed JSON on simdjson's document model.
#include <simdjson.h>
#include <millrace/detail/json_node.hpp>

#include <bit>
#include <type_traits>

#include "engine/base/assert.hpp"
#include "engine/mem/block_pool.hpp"
#include "engine/serve/json_scan.hpp"

namespace millrace::detail {

namespace dom = simdjson::dom;

// A request body lies in a block or in a receive buffer: simdjson may load past its end.
static_assert(simdjson::SIMDJSON_PADDING == mem::padding_bytes);
// JsonNode holds an element or an iterator as bytes, which only plain data survives.
static_assert(sizeof(dom::element) == sizeof(JsonNode) && std::is_trivially_copyable_v<dom::element>);
static_assert(sizeof(dom::array::iterator) == sizeof(JsonNode) &&
              std::is_trivially_copyable_v<dom::array::iterator>);
static_assert(sizeof(dom::object::iterator) == sizeof(JsonNode) &&
              std::is_trivially_copyable_v<dom::object::iterator>);

struct JsonAccess {
  template <class T>
  static T get(const JsonNode& node) noexcept {
    return std::bit_cast<T>(node);
  }
  template <class T>
  static void set(JsonNode& node, const T& value) noexcept {
    node = std::bit_cast<JsonNode>(value);
  }
};

namespace {

/// simdjson counts the containers around a value; an empty container is one level less for it.
constexpr std::size_t simdjson_depth = json_depth_max + 1;

/// A parser keeps about 14 bytes for each byte of the largest text it has seen. One that has seen more
/// than this is given up before the next ordinary text, so that one upload does not stay for ever.
constexpr std::size_t kept_text_bytes_max = 1 << 20;

/// One for each thread; texts of ordinary size are parsed without any allocation.
dom::parser& parser_for(std::size_t text_bytes) noexcept {
  thread_local dom::parser parser;
  if (parser.capacity() > kept_text_bytes_max && text_bytes <= kept_text_bytes_max) parser = dom::parser();
  return parser;
}

dom::element element_of(const JsonNode& node) noexcept { return JsonAccess::get<dom::element>(node); }

template <class T>
T value_of(const JsonNode& node) noexcept {
  T value{};
  const simdjson::error_code error = element_of(node).get(value);
  MR_ASSERT(error == simdjson::SUCCESS);  // The caller has asked for the kind.
  return value;
}

}  // namespace

bool json_parse(std::string_view text, JsonNode& root, JsonFault& fault) noexcept {
  dom::parser& parser = parser_for(text.size());
  simdjson::error_code error = simdjson::SUCCESS;
  if (parser.max_depth() != simdjson_depth || parser.capacity() < text.size()) {
    error = parser.allocate(std::bit_ceil(text.size() + 1), simdjson_depth);
  }
  dom::element element;
  if (error == simdjson::SUCCESS) error = parser.parse(text.data(), text.size(), false).get(element);
  if (error == simdjson::SUCCESS) {
    JsonAccess::set(root, element);
    return true;
  }
  if (serve::find_json_fault(text, fault)) return false;
  fault.problem = simdjson::error_message(error);
  if (error == simdjson::MEMALLOC) fault.status = 503;
  return false;
}

JsonKind JsonNode::kind() const noexcept {
  switch (element_of(*this).type()) {
    case dom::element_type::NULL_VALUE: return JsonKind::null;
    case dom::element_type::BOOL: return JsonKind::boolean;
    case dom::element_type::INT64: return JsonKind::integer;
    case dom::element_type::UINT64: return JsonKind::unsigned_integer;
    case dom::element_type::DOUBLE: return JsonKind::number;
    case dom::element_type::STRING: return JsonKind::string;
    case dom::element_type::ARRAY: return JsonKind::array;
    case dom::element_type::OBJECT: return JsonKind::object;
  }
  MR_UNREACHABLE("simdjson has no other kinds");
}

bool JsonNode::boolean() const noexcept { return value_of<bool>(*this); }
std::int64_t JsonNode::integer() const noexcept { return value_of<std::int64_t>(*this); }
std::uint64_t JsonNode::unsigned_integer() const noexcept { return value_of<std::uint64_t>(*this); }
double JsonNode::number() const noexcept { return value_of<double>(*this); }
std::string_view JsonNode::string() const noexcept { return value_of<std::string_view>(*this); }

JsonElements::JsonElements(const JsonNode& array) noexcept {
  const dom::array elements = value_of<dom::array>(array);
  JsonAccess::set(at_, elements.begin());
  JsonAccess::set(end_, elements.end());
}

bool JsonElements::next(JsonNode& element) noexcept {
  auto at = JsonAccess::get<dom::array::iterator>(at_);
  if (!(at != JsonAccess::get<dom::array::iterator>(end_))) return false;
  JsonAccess::set(element, *at);
  JsonAccess::set(at_, ++at);
  return true;
}

JsonMembers::JsonMembers(const JsonNode& object) noexcept {
  const dom::object members = value_of<dom::object>(object);
  JsonAccess::set(at_, members.begin());
  JsonAccess::set(end_, members.end());
}

bool JsonMembers::next(std::string_view& name, JsonNode& value) noexcept {
  auto at = JsonAccess::get<dom::object::iterator>(at_);
  if (!(at != JsonAccess::get<dom::object::iterator>(end_))) return false;
  name = at.key();
  JsonAccess::set(value, at.value());
  JsonAccess::set(at_, ++at);
  return true;
}

}  // namespace millrace::detail
