// files.hpp: a route that serves the files of a directory.
// Source: RFC 9110 sections 12 to 15. For GET and HEAD; the router answers 405 to the rest.
//
//   path -> name beneath the root -> Cache, or Loader -> Resource -> reply: bytes, or a source
//                                              -> redirect, listing, fallback, error
//
// Opens in the core's thread, and reads small files there; what is in the cache is looked at again once a
// second at most.
#pragma once

#include <millrace/detail/bridge.hpp>
#include <millrace/files.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::files {

/// Seconds of wall-clock time since 1970; a function, so that a test has its own.
using Clock = std::int64_t (*)() noexcept;
std::int64_t system_seconds() noexcept;

/// pattern    ends in "/*", without parameters: what stands before the star is the root's own path.
/// directory  opened now: the route keeps serving it, even where its name is given to another.
/// Sets `entry` and returns an empty string; or a sentence that says what is wrong with which option.
std::string make_entry(std::string_view pattern, const std::string& directory, const FilesOptions& options,
                       detail::Entry& entry, Clock clock = system_seconds);

}  // namespace millrace::files
