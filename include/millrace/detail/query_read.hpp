// query_read.hpp: reads the fields of a struct from pairs of names and values: a query, or a form.
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

/// Why the text is no T, or an empty text. Numbers must be the whole of it, without a leading `+` or space.
template <class T>
std::string read_text(std::string_view text, T& out) {
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
std::string read_parameter(std::string_view text, T& out) {
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

template <class T>
inline constexpr bool may_be_missing = is_optional<T> || is_vector<T>;

/// Walks the pairs of a query, decoding each.
class QueryPairs {
 public:
  static constexpr std::string_view source = "query";
  template <class T>
  static constexpr bool optional = may_be_missing<T>;
  template <class T>
  std::string read_into(T& out) const {
    return read_parameter(value_, out);
  }

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

/// "query: missing parameter: id".
std::string pairs_fault_text(std::string_view source, std::string_view problem, std::string_view name);

/// Reads what is left of `pairs` into `out`, which was value-initialised. An empty text, or what is wrong.
///
/// Pairs: next(), malformed(), name(), and read_into(field), which gives an empty text or what is wrong;
/// `optional<T>`: whether a field of type T may be missing; `source`, for people.
template <class Pairs, class T, auto... Members>
std::string read_pairs(Pairs& pairs, T& out, const Fields<T, Members...>& fields) {
  using Read = std::string (*)(const Pairs&, T&);
  static constexpr std::size_t count = sizeof...(Members);
  static constexpr std::array<Read, count> readers = {
      [](const Pairs& from, T& into) { return from.read_into(into.*Members); }...};
  static constexpr std::array<bool, count> repeatable = {
      is_vector<std::remove_cvref_t<decltype(std::declval<T&>().*Members)>>...};
  static constexpr std::array<bool, count> optional = {
      Pairs::template optional<std::remove_cvref_t<decltype(std::declval<T&>().*Members)>>...};

  std::array<bool, count> seen{};
  std::size_t expected = 0;
  while (pairs.next()) {
    const std::size_t index = fields.find(pairs.name(), expected);
    if (index == count) continue;
    if (seen[index] && !repeatable[index])
      return pairs_fault_text(Pairs::source, "expected once", pairs.name());
    const std::string problem = readers[index](pairs, out);
    if (!problem.empty()) return pairs_fault_text(Pairs::source, problem, pairs.name());
    seen[index] = true;
    expected = index + 1;
  }
  if (pairs.malformed()) return pairs_fault_text(Pairs::source, "malformed escape", {});
  for (std::size_t index = 0; index < count; ++index) {
    if (!seen[index] && !optional[index]) {
      return pairs_fault_text(Pairs::source, "missing parameter", fields.name(index));
    }
  }
  return {};
}

/// Reads `query`, raw, as read_pairs() does.
template <class T, auto... Members>
std::string read_query(std::string_view query, T& out, const Fields<T, Members...>& fields) {
  QueryPairs pairs(query);
  return read_pairs(pairs, out, fields);
}

}  // namespace millrace::detail
