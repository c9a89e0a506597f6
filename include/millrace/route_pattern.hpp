// route_pattern.hpp: the patterns of routes, and the check of a pattern against its handler, while compiling.
//
//   "/"  "/items"  "/items/{id}"  "/files/{name}/x"  "/static/*"
//
// A {parameter} is one whole segment, never empty. A `*` is the last segment, and takes all that is left
// of the path, slashes included, nothing too. Literals are compared with the decoded path.
#pragma once

#include <millrace/detail/signature.hpp>
#include <millrace/namespace.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace millrace::detail {

/// Of one pattern, a wildcard included.
inline constexpr unsigned pattern_parameters_max = 8;

enum class PatternFault : std::uint8_t {
  none,
  no_leading_slash,
  empty_segment,
  bad_character,
  stray_brace,
  bad_parameter_name,
  parameter_twice,
  stray_wildcard,
  too_many_parameters,
};

struct PatternShape {
  PatternFault fault = PatternFault::none;
  std::uint8_t parameters = 0;  ///< Named ones: without the wildcard.
  bool wildcard = false;
};

constexpr bool is_parameter_name(std::string_view name) noexcept {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  for (const char byte : name) {
    const bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
    if (!letter && !(byte >= '0' && byte <= '9')) return false;
  }
  return true;
}

/// A literal segment. `?`, `#` and `%` never stand in a decoded path's pattern: who writes one has
/// something else in mind than what would happen.
constexpr PatternFault judge_literal(std::string_view segment) noexcept {
  for (const char byte : segment) {
    if (byte == '{' || byte == '}') return PatternFault::stray_brace;
    if (byte == '*') return PatternFault::stray_wildcard;
    const auto value = static_cast<unsigned char>(byte);
    if (value < 0x20 || value == 0x7f || byte == '?' || byte == '#' || byte == '%') {
      return PatternFault::bad_character;
    }
  }
  return PatternFault::none;
}

constexpr bool is_parameter(std::string_view segment) noexcept {
  return segment.size() >= 2 && segment.front() == '{' && segment.back() == '}';
}

constexpr PatternShape read_pattern(std::string_view pattern) noexcept {
  PatternShape shape;
  std::string_view names[pattern_parameters_max];
  const auto fault = [&shape](PatternFault why) {
    shape.fault = why;
    return shape;
  };
  if (pattern.empty() || pattern.front() != '/') return fault(PatternFault::no_leading_slash);
  for (std::size_t at = 1;;) {
    std::size_t end = pattern.find('/', at);
    const bool last = end == std::string_view::npos;
    if (last) end = pattern.size();
    const std::string_view segment = pattern.substr(at, end - at);
    if (segment.empty() && !last) return fault(PatternFault::empty_segment);
    if (segment == "*") {
      if (!last) return fault(PatternFault::stray_wildcard);
      shape.wildcard = true;
    } else if (is_parameter(segment)) {
      const std::string_view name = segment.substr(1, segment.size() - 2);
      if (!is_parameter_name(name)) return fault(PatternFault::bad_parameter_name);
      for (unsigned i = 0; i < shape.parameters; ++i) {
        if (names[i] == name) return fault(PatternFault::parameter_twice);
      }
      if (shape.parameters == pattern_parameters_max) return fault(PatternFault::too_many_parameters);
      names[shape.parameters++] = name;
    } else if (const PatternFault why = judge_literal(segment); why != PatternFault::none) {
      return fault(why);
    }
    if (last) break;
    at = end + 1;
  }
  if (shape.parameters + shape.wildcard > static_cast<int>(pattern_parameters_max)) {
    return fault(PatternFault::too_many_parameters);
  }
  return shape;
}

// Declared and never defined: a constant expression that calls one does not compile, and the compiler
// names it.
void a_route_pattern_starts_with_a_slash();
void a_route_pattern_has_an_empty_segment();
void a_route_pattern_has_a_character_that_no_path_has();
void a_route_pattern_has_a_brace_where_no_whole_segment_is_a_parameter();
void a_route_pattern_has_a_parameter_whose_name_is_no_identifier();
void a_route_pattern_names_a_parameter_twice();
void a_route_pattern_has_a_wildcard_that_is_not_its_whole_last_segment();
void a_route_pattern_has_more_than_8_parameters();
void the_handler_takes_fewer_parameters_than_the_route_pattern_has();
void the_handler_takes_more_parameters_than_the_route_pattern_has();
void the_handler_takes_the_rest_of_the_path_as_something_else_than_a_string();

void a_prefix_of_routes_has_no_parameter_and_no_wildcard();
void a_prefix_of_routes_ends_without_a_slash();

consteval void demand_pattern(PatternFault fault) {
  switch (fault) {
    case PatternFault::none: return;
    case PatternFault::no_leading_slash: return a_route_pattern_starts_with_a_slash();
    case PatternFault::empty_segment: return a_route_pattern_has_an_empty_segment();
    case PatternFault::bad_character: return a_route_pattern_has_a_character_that_no_path_has();
    case PatternFault::stray_brace:
      return a_route_pattern_has_a_brace_where_no_whole_segment_is_a_parameter();
    case PatternFault::bad_parameter_name:
      return a_route_pattern_has_a_parameter_whose_name_is_no_identifier();
    case PatternFault::parameter_twice: return a_route_pattern_names_a_parameter_twice();
    case PatternFault::stray_wildcard:
      return a_route_pattern_has_a_wildcard_that_is_not_its_whole_last_segment();
    case PatternFault::too_many_parameters: return a_route_pattern_has_more_than_8_parameters();
  }
}

/// Literal segments alone: how many parameters a handler takes is judged by its own pattern.
consteval void demand_prefix(std::string_view prefix) {
  const PatternShape shape = read_pattern(prefix);
  demand_pattern(shape.fault);
  if (shape.parameters != 0 || shape.wildcard) a_prefix_of_routes_has_no_parameter_and_no_wildcard();
  if (prefix.ends_with('/')) a_prefix_of_routes_ends_without_a_slash();
}

/// A pattern that goes with the handler Handler: no other can be made. As std::format_string does it.
template <class Handler>
class RoutePattern {
 public:
  template <class Text>
    requires std::convertible_to<const Text&, std::string_view>
  consteval RoutePattern(const Text& text) : text_(text) {  // NOLINT: implicit, a pattern is a literal.
    const PatternShape shape = read_pattern(text_);
    demand_pattern(shape.fault);
    using Signature = SignatureOf<Handler>;
    constexpr unsigned taken = Signature::path_parameters;
    // A handler that takes the Request may ask it for the parameters.
    if (taken == 0 && (Signature::takes_request || shape.parameters == 0)) return;
    if (taken < shape.parameters) the_handler_takes_fewer_parameters_than_the_route_pattern_has();
    if (taken > unsigned{shape.parameters} + (shape.wildcard ? 1u : 0u)) {
      the_handler_takes_more_parameters_than_the_route_pattern_has();
    }
    if (taken > shape.parameters && !Signature::last_is_text) {
      the_handler_takes_the_rest_of_the_path_as_something_else_than_a_string();
    }
  }
  constexpr std::string_view text() const noexcept { return text_; }

 private:
  std::string_view text_;
};

}  // namespace millrace::detail
