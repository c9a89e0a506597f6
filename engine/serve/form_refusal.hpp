// form_refusal.hpp: what both readers of forms say of a body that is none.
#pragma once

#include <millrace/detail/argument.hpp>

#include <string_view>

#include "engine/http/framing.hpp"
#include "engine/http/parameters.hpp"

namespace millrace::detail {

inline constexpr std::string_view bad_boundary = "the boundary of the Content-Type is missing or not valid";

/// False, so that a reader can return it.
inline bool refuse_form(Refusal& refusal, std::uint16_t status, std::string_view why) {
  refusal.status = status;
  refusal.message.assign("form: ").append(why);
  return false;
}

inline bool is_multipart(std::string_view content_type) noexcept {
  return http::equal_ignoring_case(http::value_before_parameters(content_type), "multipart/form-data");
}

}  // namespace millrace::detail
