// nearest.hpp: the name a person most likely meant.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace millrace::config {

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. O(a * b).
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate with the least distance; the first of equals; empty where there are no candidates.
std::string_view nearest(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace millrace::config
