// listing.hpp: a page that lists a directory.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "engine/ext/files/root.hpp"

namespace millrace::files {

/// Entries that a page lists; of more it says so.
inline constexpr std::size_t listing_entries_max = 2000;

/// path    as requested, decoded, with its slash at the end: the page's title.
/// name    the directory beneath the root; empty, or with a slash at its end.
/// hidden  names with a dot in front are listed too.
/// Writes HTML into `page`: directories first, then by name; every name escaped, links percent-encoded.
/// What Root::open() would not open is left out. O(entries): two system calls a symbolic link, one
/// another entry. Returns Outcome::directory, or why there is no page.
Root::Outcome write_listing(const Root& root, std::string_view path, std::string_view name, bool hidden,
                            std::string& page);

}  // namespace millrace::files
