// json_types.hpp: the kinds of types that JSON is read into and written from.
#pragma once

#include <millrace/detail/argument.hpp>

#include <concepts>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace millrace::detail {

/// As in a path: no characters.
template <class T>
concept JsonInteger = PathInteger<T>;

/// A long double would not survive the way.
template <class T>
concept JsonFloat = std::same_as<T, float> || std::same_as<T, double>;

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <class T>
inline constexpr bool is_vector = false;
template <class T, class Allocator>
inline constexpr bool is_vector<std::vector<T, Allocator>> = true;

/// std::map and std::unordered_map, and what looks like them.
template <class T>
concept JsonMap = requires(T& map, std::string key) {
  typename T::mapped_type;
  requires std::same_as<typename T::key_type, std::string>;
  { map.try_emplace(std::move(key)).second } -> std::convertible_to<bool>;
};

template <class>
inline constexpr bool json_unsupported = false;

}  // namespace millrace::detail
