// messages.hpp: what a client sends on a WebSocket. Source: RFC 6455 sections 4.1 and 5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace millrace::bench {

/// A value of Sec-WebSocket-Key: 16 bytes in base64.
std::string random_key(std::random_device& random);
/// What a server must answer to it.
std::string accept_of(const std::string& key);
/// The opening handshake. fields: whole lines, Host among them.
std::string opening_request(std::string_view target, std::string_view fields, std::string_view key);

/// Printable text; of another kind, another text.
std::string message_text(std::size_t bytes, unsigned kind);
/// A final frame of text, masked as a client's must be. A load sends it again and again: the mask is there
/// against scripts of strangers that choose the bytes (section 10.3), and here is none.
std::string text_frame(std::string_view text, std::uint32_t mask);
/// The same, of what answers a ping. At most ws::control_bytes_max.
std::string pong_frame(std::string_view ping, std::uint32_t mask);

}  // namespace millrace::bench
