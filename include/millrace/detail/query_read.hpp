// query_read.hpp: reads the fields of a struct from the query of a URL.
//
// Escapes     as in a form: %XX, and `+` for a space (WHATWG URL, application/x-www-form-urlencoded).
// Names       unknown ones are ignored; one that stands twice is refused, unless its field is a std::vector.
// Missing     std::optional and std::vector fields may be missing, and keep their initial value.
#pragma once

#include <millrace/detail/argument.hpp>
#include <millrace/detail/json_types.hpp>
#include <millrace/json_fields.hpp>

#include <array>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace millrace::detail {

/// Walks the pairs of a query, decoding each.
class QueryPairs {
 public:
  explicit QueryPairs(std::string_view query) noexcept : rest_(query) {}
  /// False at the end, or at a malformed escape. Empty pairs ("a=1&&b=2") are passed over. A pair
  /// without `=` has an empty value.
  bool next();
  bool malformed() const noexcept { return malformed_; }
  const std::string& name() const noexcept { return name_; }    ///< Decoded; until the next next().
  const std::string& value() const noexcept { return value_; }  ///< Decoded; until the next next().

 private:
  std::string_view rest_;
  std::string name_, value_;
  bool malformed_ = false;
};

/// Why the text is no T, or an empty text. Numbers must be the whole of it, without a leading `+` or space.
template <class T>
std::string read_text(const std::string& text, T& out) {
  if constexpr (std::is_same_v<T, std::string>) {
    out = text;
    return {};
  } else if constexpr (std::is_same_v<T, bool>) {
    return Argument<T>::parse(text, out) ? "" : "expected true, false, 1 or 0";
  } else if constexpr (std::is_enum_v<T>) {
    using Integer = std::underlying_type_t<T>;
    std::conditional_t<std::is_same_v<Integer, char>, signed char, Integer> number{};
    std::string problem = read_text(text, number);
    if (problem.empty()) out = static_cast<T>(number);
    return problem;
  } else if constexpr (JsonInteger<T> || JsonFloat<T>) {
    if (Argument<T>::parse(text, out)) return {};
    if constexpr (JsonFloat<T>)
      return "expected a number";
    else
      return "expected an integer from " + std::to_string(std::numeric_limits<T>::min()) + " to " +
             std::to_string(std::numeric_limits<T>::max());
  } else {
    static_assert(json_unsupported<T>,
                  "a query holds text, numbers, bool and enums; std::optional, std::vector of these");
  }
}

/// Takes one more value for a field.
template <class T>
std::string read_parameter(const std::string& text, T& out) {
  if constexpr (is_optional<T>) {
    return read_text(text, out.emplace());
  } else if constexpr (is_vector<T>) {
    typename T::value_type value{};
    std::string problem = read_text(text, value);
    if (problem.empty()) out.push_back(std::move(value));
    return problem;
  } else {
    return read_text(text, out);
  }
}

/// "query: missing parameter: id".
std::string query_fault_text(std::string_view problem, std::string_view name);

/// Reads `query`, raw, into `out`, which was value-initialised. An empty text, or what is wrong.
template <class T, auto... Members>
std::string read_query(std::string_view query, T& out, const Fields<T, Members...>& fields) {
  using Read = std::string (*)(const std::string&, T&);
  static constexpr std::size_t count = sizeof...(Members);
  static constexpr std::array<Read, count> readers = {
      [](const std::string& text, T& into) { return read_parameter(text, into.*Members); }...};
  static constexpr std::array<bool, count> repeatable = {
      is_vector<std::remove_cvref_t<decltype(std::declval<T&>().*Members)>>...};
  static constexpr std::array<bool, count> optional = {
      is_optional<std::remove_cvref_t<decltype(std::declval<T&>().*Members)>>...};

  std::array<bool, count> seen{};
  std::size_t expected = 0;
  QueryPairs pairs(query);
  while (pairs.next()) {
    const std::size_t index = fields.find(pairs.name(), expected);
    if (index == count) continue;
    if (seen[index] && !repeatable[index]) return query_fault_text("expected once", pairs.name());
    const std::string problem = readers[index](pairs.value(), out);
    if (!problem.empty()) return query_fault_text(problem, pairs.name());
    seen[index] = true;
    expected = index + 1;
  }
  if (pairs.malformed()) return query_fault_text("malformed escape", {});
  for (std::size_t index = 0; index < count; ++index) {
    if (!seen[index] && !repeatable[index] && !optional[index]) {
      return query_fault_text("missing parameter", fields.name(index));
    }
  }
  return {};
}

}  // namespace millrace::detail
