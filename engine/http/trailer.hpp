// trailer.hpp: which fields must not arrive in a trailer section. Source: RFC 9110 section 6.5.1.
#pragma once

#include <string_view>

namespace millrace::http {

/// True for what is needed before the content (framing, routing, request modifiers, authentication,
/// the content's own format) or belongs to the hop: such a trailer is dropped, never merged.
bool forbidden_in_trailer(std::string_view name) noexcept;

}  // namespace millrace::http
