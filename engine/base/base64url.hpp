// base64url.hpp: bytes as text that cookies and URLs take as it is, without padding. Source: RFC 4648 section 5.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace millrace {

std::string to_base64url(std::string_view bytes);

/// Nothing for what to_base64url() would not have written: another character, padding, a length that
/// cannot be, bits left over that are not zero.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace millrace
