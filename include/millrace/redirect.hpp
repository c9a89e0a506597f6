// redirect.hpp: answers that send a client elsewhere.
#pragma once

#include <millrace/namespace.hpp>
#include <millrace/response.hpp>

#include <string_view>

namespace millrace {

/// Location, and a status that says what it means (RFC 9110 section 15.4):
///   303  GET the other: after a form was posted. The default.
///   302  the other for now, 307 the same with the method kept;
///   301  the other from now on, 308 the same with the method kept.
/// location: a path or a URL. What is no character of a URL is percent-encoded; escapes stay. Any other status
/// makes the response invalid, and so does a location with a control character. One that a client chose may
/// lead anywhere, also where it begins with a slash ("//evil.example"): see is_local_path().
Response redirect(std::string_view location, unsigned status = 303);

/// True for a path within this site: one slash first, no second slash or backslash behind it, no control
/// characters. What to ask of a `?next=` before redirecting to it.
bool is_local_path(std::string_view location) noexcept;

}  // namespace millrace
