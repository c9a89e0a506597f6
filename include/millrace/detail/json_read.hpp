// json_read.hpp: reads a value from a parsed JSON text, or says what is wrong with it and where.
//
// Names       unknown ones are ignored; one that stands twice is refused, because what the client
//             meant by it is anyone's guess, and a proxy before us may have guessed otherwise
//             (RFC 8259 section 4).
// Missing     only a std::optional may be missing; it keeps its initial value.
#pragma once

#include <millrace/detail/json_node.hpp>
#include <millrace/detail/json_types.hpp>
#include <millrace/json_fields.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace millrace::detail {

template <JsonInteger T>
bool read_json_integer(const JsonNode& node, T& out, JsonFault& fault) {
  const JsonKind kind = node.kind();
  if (kind == JsonKind::integer && std::in_range<T>(node.integer())) {
    out = static_cast<T>(node.integer());
    return true;
  }
  if (kind == JsonKind::unsigned_integer && std::in_range<T>(node.unsigned_integer())) {
    out = static_cast<T>(node.unsigned_integer());
    return true;
  }
  if (kind != JsonKind::integer && kind != JsonKind::unsigned_integer) {
    return fault.refuse("expected an integer");
  }
  return fault.refuse("expected an integer from " + std::to_string(std::numeric_limits<T>::min()) + " to " +
                      std::to_string(std::numeric_limits<T>::max()));
}

template <JsonFloat T>
bool read_json_float(const JsonNode& node, T& out, JsonFault& fault) {
  double value = 0;
  const JsonKind kind = node.kind();
  if (kind == JsonKind::number) {
    value = node.number();
  } else if (kind == JsonKind::integer) {
    value = static_cast<double>(node.integer());
  } else if (kind == JsonKind::unsigned_integer) {
    value = static_cast<double>(node.unsigned_integer());
  } else {
    return fault.refuse("expected a number");
  }
  if (std::abs(value) > static_cast<double>(std::numeric_limits<T>::max())) {
    return fault.refuse("expected a number that fits a float");
  }
  out = static_cast<T>(value);
  return true;
}

template <class T>
bool read_json(const JsonNode& node, T& out, JsonFault& fault);

template <class T>
bool read_json_vector(const JsonNode& node, T& out, JsonFault& fault) {
  if (node.kind() != JsonKind::array) return fault.refuse("expected an array");
  out.clear();
  JsonElements elements(node);
  JsonNode element;
  constexpr std::size_t reserved_max = 256;  // Not for whatever a small text announces: each may be refused.
  out.reserve(std::min(node.count(), reserved_max));
  for (std::uint32_t child = 0; elements.next(element); ++child) {
    bool read = false;
    if constexpr (std::is_same_v<typename T::value_type, bool>) {  // Its elements have no address.
      bool value = false;
      read = read_json(element, value, fault);
      out.push_back(value);
    } else {
      read = read_json(element, out.emplace_back(), fault);
    }
    if (!read) return fault.within({{}, child, false});
  }
  return true;
}

template <JsonMap T>
bool read_json_map(const JsonNode& node, T& out, JsonFault& fault) {
  if (node.kind() != JsonKind::object) return fault.refuse("expected an object");
  out.clear();
  JsonMembers members(node);
  std::string_view name;
  JsonNode value;
  for (std::uint32_t child = 0; members.next(name, value); ++child) {
    const auto [place, fresh] = out.try_emplace(std::string(name));
    if (!fresh) fault.refuse("expected each name once");
    if (!fresh || !read_json(value, place->second, fault)) return fault.within({name, child, true});
  }
  return true;
}

template <class T, auto... Members>
bool read_json_fields(const JsonNode& node, T& out, JsonFault& fault, const Fields<T, Members...>& fields) {
  using Read = bool (*)(const JsonNode&, T&, JsonFault&);
  static constexpr std::size_t count = sizeof...(Members);
  static constexpr std::array<Read, count> readers = {[](const JsonNode& value, T& into, JsonFault& wrong) {
    return read_json(value, into.*Members, wrong);
  }...};
  static constexpr std::array<bool, count> optional = {
      is_optional<std::remove_cvref_t<decltype(std::declval<T&>().*Members)>>...};

  if (node.kind() != JsonKind::object) return fault.refuse("expected an object");
  std::array<bool, count> seen{};
  std::size_t expected = 0;
  JsonMembers members(node);
  std::string_view name;
  JsonNode value;
  for (std::uint32_t child = 0; members.next(name, value); ++child) {
    const std::size_t index = fields.find(name, expected);
    if (index == count) continue;
    if (seen[index]) fault.refuse("expected each name once");
    if (seen[index] || !readers[index](value, out, fault)) return fault.within({name, child, true});
    seen[index] = true;
    expected = index + 1;
  }
  for (std::size_t index = 0; index < count; ++index) {
    if (seen[index] || optional[index]) continue;
    fault.missing = fields.name(index);
    return fault.refuse("missing field");
  }
  return true;
}

/// Reads `node` into `out`, which was value-initialised. False, and what is wrong, where it does not fit.
template <class T>
bool read_json(const JsonNode& node, T& out, JsonFault& fault) {
  if constexpr (std::is_same_v<T, bool>) {
    if (node.kind() != JsonKind::boolean) return fault.refuse("expected true or false");
    out = node.boolean();
    return true;
  } else if constexpr (JsonInteger<T>) {
    return read_json_integer(node, out, fault);
  } else if constexpr (std::is_enum_v<T>) {
    using Integer = std::underlying_type_t<T>;
    using Number = std::conditional_t<std::is_same_v<Integer, char>, signed char, Integer>;
    Number number{};
    if (!read_json(node, number, fault)) return false;
    out = static_cast<T>(number);
    return true;
  } else if constexpr (JsonFloat<T>) {
    return read_json_float(node, out, fault);
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (node.kind() != JsonKind::string) return fault.refuse("expected a string");
    out = node.string();
    return true;
  } else if constexpr (is_optional<T>) {
    if (node.kind() == JsonKind::null) {
      out.reset();
      return true;
    }
    return read_json(node, out.emplace(), fault);
  } else if constexpr (is_vector<T>) {
    return read_json_vector(node, out, fault);
  } else if constexpr (JsonMap<T>) {
    return read_json_map(node, out, fault);
  } else if constexpr (HasFields<T>) {
    return read_json_fields(node, out, fault, fields_of<T>);
  } else if constexpr (std::is_same_v<T, std::string_view> || std::is_same_v<T, const char*>) {
    static_assert(json_unsupported<T>, "a view would outlive the parsed text: read into a std::string");
  } else {
    static_assert(json_unsupported<T>, "no JSON for this type: give it an MR_JSON(Type, fields...)");
  }
}

}  // namespace millrace::detail
