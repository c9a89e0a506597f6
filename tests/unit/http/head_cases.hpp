// head_cases.hpp: heads and what the tokenizer must say of each. Sources: RFC 9112 sections 2, 3 and 5,
// RFC 9110 section 5.6.2, RFC 3986.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "engine/base/result.hpp"

namespace test {

/// Who must accept a good head: every kernel by itself, or only the strict path.
enum class By : std::uint8_t { kernel, strict };

struct HeadCase {
  std::string_view name;
  std::string_view bytes;
  millrace::Errc want = millrace::Errc::ok;
  std::uint16_t status = 0;
  By by = By::kernel;
};

std::span<const HeadCase> head_cases();

}  // namespace test
