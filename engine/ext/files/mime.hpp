// mime.hpp: the media type of a file by the end of its name.
#pragma once

#include <string_view>

namespace millrace::files {

/// "text/html; charset=utf-8" for "a.html"; the end is compared case-insensitively;
/// "application/octet-stream" for what is not in the table. O(log types).
std::string_view media_type_of(std::string_view name) noexcept;

/// "gz" of "a.tar.gz"; empty where the last part of the path has no dot.
std::string_view extension_of(std::string_view path) noexcept;

}  // namespace millrace::files
