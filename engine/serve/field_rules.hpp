// field_rules.hpp: which fields an application may send. Source: RFC 9110 sections 5.1 and 5.5.
#pragma once

#include <algorithm>
#include <string_view>

#include "engine/http/char_class.hpp"
#include "engine/http/framing.hpp"

namespace millrace::serve {

inline constexpr const char* too_many_fields = "the response has more than 32 KiB of fields";

inline bool valid_name(std::string_view name) noexcept {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char byte) {
    return http::is_class(byte, http::char_class::token);
  });
}

inline bool valid_value(std::string_view value) noexcept {
  return std::none_of(value.begin(), value.end(),
                      [](char byte) { return http::is_class(byte, http::char_class::control); });
}

/// Null, or what is wrong with a field. Connection and Content-Type are for the caller to judge.
inline const char* field_problem(std::string_view name, std::string_view value) noexcept {
  const auto is = [name](std::string_view other) { return http::equal_ignoring_case(name, other); };
  if (!valid_name(name)) return "the response has a header whose name is no token";
  if (!valid_value(value)) return "the response has a header whose value has a control character";
  if (is("content-length") || is("transfer-encoding") || is("keep-alive")) {
    return "the response has a header that is the engine's own: Content-Length, Transfer-Encoding or "
           "Keep-Alive";
  }
  if (is("connection") && !http::equal_ignoring_case(value, "close"))
    return "the response has a Connection header other than close";
  return nullptr;
}

}  // namespace millrace::serve
