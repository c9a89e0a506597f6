// handshake.hpp: the opening handshake. Source: RFC 6455 section 4.2.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/http/framing.hpp"
#include "engine/http/head.hpp"

namespace millrace::ws {

enum class HandshakeFault : std::uint8_t {
  none,
  no_upgrade,   ///< No request for a WebSocket: 426, and an Upgrade field says what is served here.
  bad_version,  ///< Sec-WebSocket-Version is not 13: 426, and a field of that name says so (section 4.4).
  bad_key,      ///< Sec-WebSocket-Key is missing, there twice, or not 16 bytes in base64: 400.
};

/// `key` is a view into the head where there is no fault.
HandshakeFault judge_handshake(const http::Head& head, const http::Framing& framing,
                               std::string_view& key) noexcept;

/// The value of Sec-WebSocket-Accept for a key that was judged good.
std::array<char, 28> accept_key(std::string_view key) noexcept;

/// The first of the server's subprotocols that the client offers too (section 4.2.2 /subprotocol/, in the
/// server's order); null where there is none.
const std::string* choose_subprotocol(const http::Head& head, std::span<const std::string> served) noexcept;

/// Whether a page of that origin may connect (section 10.2). Programs send no Origin field, and may.
/// `allowed` empty: only pages of the host they connect to; "*": every page; else those named.
bool origin_allowed(const http::Head& head, std::string_view host,
                    std::span<const std::string> allowed) noexcept;

}  // namespace millrace::ws
