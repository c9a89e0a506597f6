// peer.hpp: the address of a client, as text.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "engine/io/backend.hpp"

namespace millrace::serve {

struct Peer {
  std::array<char, 48> buffer;
  std::uint8_t size = 0;
  std::uint16_t port = 0;  ///< 0 for a unix socket.
  std::array<char, 8> network_bytes;
  std::uint8_t network_size = 0;

  /// "203.0.113.7", "2001:db8::7", "unix:"; empty where it is not known (any more).
  std::string_view address() const noexcept { return {buffer.data(), size}; }
};

/// One customer's addresses: all of IPv4's, the first 64 bits of IPv6's, as bytes; empty for a unix socket.
inline std::string_view network_of(const Peer& peer) noexcept {
  return {peer.network_bytes.data(), peer.network_size};
}

/// Costs a system call.
Peer peer_of(io::Descriptor descriptor) noexcept;

}  // namespace millrace::serve
