// status.hpp: reason phrases. Source: RFC 9110 section 15 and the IANA registry.
#pragma once

#include <string_view>

namespace millrace::http {

/// "Not Found"; "" for a code outside the registry (a reason phrase may be empty).
std::string_view reason_of(unsigned status) noexcept;

/// "HTTP/1.1 404 Not Found\r\n" for a registered code, else "".
std::string_view status_line_of(unsigned status) noexcept;

}  // namespace millrace::http
