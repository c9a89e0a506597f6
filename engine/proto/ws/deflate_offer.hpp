// deflate_offer.hpp: agrees on permessage-deflate with a client. Source: RFC 7692 sections 5 and 7.1.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/http/head.hpp"

namespace millrace::ws {

/// What the server is willing to do.
struct DeflateWish {
  std::uint8_t window_bits =
      15;                 ///< 9 to 15: of its own direction, and of the client's where that may be asked.
  bool takeover = false;  ///< Keep the contexts of both directions between messages.
};

/// What was agreed on.
struct DeflateTerms {
  std::uint8_t server_window_bits = 15;
  std::uint8_t client_window_bits = 15;
  bool server_takeover = false;
  bool client_takeover = false;
  bool client_window_told = false;  ///< The answer names client_max_window_bits.
};

/// zlib's raw streams have a window of at least this (8 is not possible): an offer that demands less is declined.
inline constexpr unsigned window_bits_min = 9;
inline constexpr unsigned window_bits_max = 15;

/// Takes the first offer of all Sec-WebSocket-Extensions fields that can be met; nothing where there is
/// none: then messages are not compressed. What is not understood is declined.
std::optional<DeflateTerms> choose_deflate(const http::Head& head, const DeflateWish& wish) noexcept;

/// The value of the answer's Sec-WebSocket-Extensions. `to` has terms_bytes_max bytes of room.
inline constexpr std::size_t terms_bytes_max = 160;
std::string_view write_terms(char* to, const DeflateTerms& terms) noexcept;

}  // namespace millrace::ws
