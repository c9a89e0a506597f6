// argument.hpp: what a handler's argument is made of, by its type.
//
// A type becomes an argument by a specialisation of Argument, which is one of two kinds:
//
//   of the path   is_path_parameter = true; takes the next {parameter} of the pattern.
//                 static bool parse(std::string_view text, Value& out) noexcept(...);
//                 false: the text is no such value, so the route does not match.
//   of the rest   is_path_parameter = false; reads body, query, fields...
//                 static std::optional<Value> extract(Request& request, Refusal& refusal);
//                 nothing: the handler is not run, and the refusal is answered in its place.
//
// Both name the type they make: `using Value = ...`, which the handler takes by value or by reference.
#pragma once

#include <millrace/request.hpp>

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace millrace::detail {

/// Why a handler is not run.
struct Refusal {
  std::uint16_t status = 400;
  std::string message;  ///< The body of the answer, where the application has no handler for the status.
};

/// False, and 415, where the body has a content coding: none is decoded, and coded bytes are neither JSON nor
/// a form (RFC 9110 section 15.5.16). A body read as bytes is what was sent, whatever its coding.
inline bool body_is_plain(const Request& request, Refusal& refusal) {
  const std::optional<std::string_view> coding = request.header("content-encoding");
  if (!coding || *coding == "identity") return true;
  refusal = {415, "the body has a Content-Encoding, which is not decoded: send it without one"};
  return false;
}

/// What is no specialisation is no argument.
template <class A>
struct Argument;

template <class A>
concept PathArgument = requires { requires Argument<A>::is_path_parameter; };

template <class A>
concept ExtractedArgument = requires { requires !Argument<A>::is_path_parameter; };

/// Characters are no integers here: whether `char` means a number or a letter is anyone's guess.
template <class T>
concept PathInteger =
    std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
    !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

/// The whole text must be the number, in decimal, without a leading `+` or space, and in T's range.
template <class T>
bool parse_number(std::string_view text, T& out) noexcept {
  const char* const end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, out);
  return error == std::errc{} && last == end;
}

/// Valid until the handler, or its coroutine, ends.
template <>
struct Argument<std::string_view> {
  static constexpr bool is_path_parameter = true;
  using Value = std::string_view;
  static bool parse(std::string_view text, Value& out) noexcept {
    out = text;
    return true;
  }
};

template <>
struct Argument<std::string> {
  static constexpr bool is_path_parameter = true;
  using Value = std::string;
  static bool parse(std::string_view text, Value& out) {
    out = text;
    return true;
  }
};

template <PathInteger T>
struct Argument<T> {
  static constexpr bool is_path_parameter = true;
  using Value = T;
  static bool parse(std::string_view text, Value& out) noexcept { return parse_number(text, out); }
};

/// No infinity and no NaN.
template <std::floating_point T>
struct Argument<T> {
  static constexpr bool is_path_parameter = true;
  using Value = T;
  static bool parse(std::string_view text, Value& out) noexcept {
    return parse_number(text, out) && std::isfinite(out);
  }
};

/// "true", "false", "1" or "0".
template <>
struct Argument<bool> {
  static constexpr bool is_path_parameter = true;
  using Value = bool;
  static bool parse(std::string_view text, Value& out) noexcept {
    out = text == "true" || text == "1";
    return out || text == "false" || text == "0";
  }
};

/// Asked while routing: true where the text is a value of the parameter's type. Null: any text is.
using ParameterCheck = bool (*)(std::string_view text) noexcept;

template <class A>
constexpr ParameterCheck parameter_check() noexcept {
  if constexpr (std::same_as<A, std::string_view> || std::same_as<A, std::string>) {
    return nullptr;
  } else {
    return [](std::string_view text) noexcept {
      typename Argument<A>::Value value{};
      return Argument<A>::parse(text, value);
    };
  }
}

}  // namespace millrace::detail
