// location.hpp: where a directory really is: the same path with a slash at its end.
#pragma once

#include <span>
#include <string_view>

#include "engine/http/target.hpp"

namespace millrace::files {

/// Writes "Location: <path>/[?query]\r\n" into `out`, the path percent-encoded again (RFC 3986
/// section 3.3); the host is left out, because a reference is enough (RFC 9110 section 10.2.2).
/// Empty where `out` is too small.
std::string_view write_location(const http::Target& target, std::span<char> out) noexcept;

}  // namespace millrace::files
