// file_text.hpp: what must hold of a file before toml++ may read it.
#pragma once

#include <cstddef>
#include <string_view>

namespace millrace::config {

/// Where the first byte stands that is beyond ASCII outside of quotes and comments, where TOML has none, or behind a
/// backslash within quotes, blanks and lines between them left out; or where the quotes begin that have such bytes,
/// directly behind a number or a name; the text's size where there is none. toml++ 3.3 looks for white space in those
/// places by a table with gaps, which it tells the compiler are never reached: undefined behaviour. O(size).
std::size_t find_stray_character(std::string_view text) noexcept;

}  // namespace millrace::config
