// utf8.hpp: whether a text that still grows is UTF-8. Source: RFC 3629, RFC 6455 section 8.1.
#pragma once

#include <cstddef>
#include <string_view>

namespace millrace::ws {

inline constexpr std::size_t not_utf8 = ~std::size_t{0};

/// Checks `text`, whose first `checked` bytes (0, or what the call before gave) were found good.
/// Returns  how many are good now: all, or up to three fewer where the last character is cut and can
///          still become one; or not_utf8. A text is whole and good where that is its size.
/// O(text.size() - checked), at vector speed (simdjson's validator).
std::size_t check_utf8(std::string_view text, std::size_t checked) noexcept;

}  // namespace millrace::ws
