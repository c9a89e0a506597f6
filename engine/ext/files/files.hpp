// files.hpp: a route that serves the files of a directory: whole, by condition or by range.
// Source: RFC 9110 sections 13 to 15. For GET and HEAD; the router answers 405 to the rest.
//
//   path -> name beneath the root -> open -> conditions -> range -> reply: bytes, or a source
//
// Reads in the core's thread: a small file at once, a large one in parts as the connection has room.
#pragma once

#include <millrace/detail/bridge.hpp>

#include <string>
#include <string_view>

#include "engine/base/result.hpp"

namespace millrace::files {

/// Files up to this size are read into the reply; larger ones through a BodySource.
inline constexpr std::size_t small_bytes_max = 64 * 1024;

/// pattern    ends in "/*", without parameters: what stands before the star is the root's own path.
/// directory  opened now: the route keeps serving it, even where its name is given to another.
/// Returns the handler, or Errc::bad_configuration for such a pattern, or a system Error.
Result<detail::Entry> make_entry(std::string_view pattern, const std::string& directory);

}  // namespace millrace::files
