// json_fields.hpp: MR_JSON, which says what fields a struct has.
#pragma once

#include <millrace/namespace.hpp>

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>

/// MR_JSON(Item, id, name): the fields of the struct Item, in the order they are written. Stands at
/// namespace scope, in the namespace of Item, behind its definition. At most 32 fields; each a public
/// data member of Item or of a base. One list serves mr::json(), mr::Json<Item> and mr::Query<Item>.
///
/// A field's type   in JSON                              and when reading
/// bool             true, false
/// integers         a number without fraction, exponent  out of the type's range: refused
/// enums            as their integer type                not checked against the enumerators
/// float, double    a number; NaN and infinity: null     an integer will do; float: range checked
/// std::string      a string                             (std::string_view, const char*: writing only)
/// std::optional    the value or null                    may be missing: keeps its initial value
/// std::vector      an array
/// std::map, std::unordered_map with std::string keys: an object   a key twice: refused
/// a struct with an MR_JSON of its own: an object
#define MR_JSON(Type, ...)                                                                         \
  [[maybe_unused]] constexpr auto millrace_fields(const Type*) noexcept {                          \
    return ::millrace::detail::Fields<Type __VA_OPT__(, ) MR_DETAIL_EACH(                          \
        MR_DETAIL_MEMBER, Type, __VA_ARGS__)>{{MR_DETAIL_EACH(MR_DETAIL_KEY, Type, __VA_ARGS__)}}; \
  }

#define MR_DETAIL_MEMBER(Type, field) &Type::field
#define MR_DETAIL_KEY(Type, field) ::std::string_view("\"" #field "\":")

// Calls macro(context, x) for each x, with commas between. A macro is not expanded within itself, so
// each step leaves a call behind that the next scan expands; MR_DETAIL_SCAN scans 64 times and more.
#define MR_DETAIL_EACH(macro, context, ...) \
  __VA_OPT__(MR_DETAIL_SCAN(MR_DETAIL_STEP(macro, context, __VA_ARGS__)))
#define MR_DETAIL_STEP(macro, context, first, ...) \
  macro(context, first) __VA_OPT__(, MR_DETAIL_NEXT_STEP MR_DETAIL_PARENS(macro, context, __VA_ARGS__))
#define MR_DETAIL_NEXT_STEP() MR_DETAIL_STEP
#define MR_DETAIL_PARENS ()
#define MR_DETAIL_SCAN(...) \
  MR_DETAIL_SCAN_16(MR_DETAIL_SCAN_16(MR_DETAIL_SCAN_16(MR_DETAIL_SCAN_16(__VA_ARGS__))))
#define MR_DETAIL_SCAN_16(...) \
  MR_DETAIL_SCAN_4(MR_DETAIL_SCAN_4(MR_DETAIL_SCAN_4(MR_DETAIL_SCAN_4(__VA_ARGS__))))
#define MR_DETAIL_SCAN_4(...) \
  MR_DETAIL_SCAN_1(MR_DETAIL_SCAN_1(MR_DETAIL_SCAN_1(MR_DETAIL_SCAN_1(__VA_ARGS__))))
#define MR_DETAIL_SCAN_1(...) __VA_ARGS__

namespace millrace::detail {

/// What MR_JSON makes: members as template arguments, so that reading and writing know their types,
/// and their names as they are written in JSON: `"name":`.
template <class T, auto... Members>
struct Fields {
  static_assert(sizeof...(Members) <= 32, "MR_JSON takes at most 32 fields; nest a struct");
  using Owner = T;
  static constexpr std::size_t count = sizeof...(Members);
  std::array<std::string_view, count> keys;

  constexpr std::string_view name(std::size_t index) const noexcept {
    return keys[index].substr(1, keys[index].size() - 3);
  }
  /// The index of a name, or count. Names mostly come in the order of the list: `expected` is tried first.
  constexpr std::size_t find(std::string_view wanted, std::size_t expected) const noexcept {
    if (expected < count && name(expected) == wanted) return expected;
    for (std::size_t index = 0; index < count; ++index) {
      if (name(index) == wanted) return index;
    }
    return count;
  }
};

/// True for a type with an MR_JSON of its own; that of a base does not count, it would lose fields.
template <class T>
concept HasFields = requires(const T* type) {
  { millrace_fields(type) };
  requires std::is_same_v<typename decltype(millrace_fields(type))::Owner, T>;
};

template <HasFields T>
inline constexpr auto fields_of = millrace_fields(static_cast<const T*>(nullptr));

}  // namespace millrace::detail
