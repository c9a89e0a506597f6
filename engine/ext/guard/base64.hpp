// base64.hpp: text as Basic authentication has it. Source: RFC 4648 section 4.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace millrace {

/// Padded to a multiple of four. Nothing for another character, padding in the middle, or bits left over.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace millrace
