// location.hpp: paths as they are written into a reply: a redirect to the same one with a slash, links.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/http/target.hpp"

namespace millrace::files {

/// Writes "Location: <path>/[?query]\r\n" into `out`, the path percent-encoded again (RFC 3986
/// section 3.3); the host is left out, because a reference is enough (RFC 9110 section 10.2.2).
/// Empty where `out` is too small.
std::string_view write_location(const http::Target& target, std::span<char> out) noexcept;

/// Appends a name, percent-encoded as in a Location; what HTML quotes and what could end a scheme too.
void append_escaped_path(std::string& out, std::string_view name);

}  // namespace millrace::files
