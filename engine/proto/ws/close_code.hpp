// close_code.hpp: why a WebSocket ends. Source: RFC 6455 section 7.4, and IANA's registry for 1012 to 1014.
#pragma once

#include <cstdint>

namespace millrace::ws {

enum class CloseCode : std::uint16_t {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  unsupported = 1003,
  none = 1005,      ///< The peer's close frame had no code. Never sent.
  abnormal = 1006,  ///< The connection was lost without a close frame. Never sent.
  bad_data = 1007,
  policy = 1008,
  too_large = 1009,
  failure = 1011,
  try_later = 1013,
};

/// May stand in a close frame: defined for it, or of the ranges of libraries and applications.
constexpr bool may_be_sent(unsigned code) noexcept {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

}  // namespace millrace::ws
