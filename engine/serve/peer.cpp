#include "engine/serve/peer.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

namespace millrace::serve {

Peer peer_of(io::Descriptor descriptor) noexcept {
  Peer peer;
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return peer;
  const auto write = [&peer](int family, const void* address, in_port_t port, const void* network,
                             std::uint8_t network_size) {
    std::memcpy(peer.network_bytes.data(), network, network_size);
    peer.network_size = network_size;
    ::inet_ntop(family, address, peer.buffer.data(), peer.buffer.size());
    peer.size = static_cast<std::uint8_t>(std::strlen(peer.buffer.data()));
    peer.port = ntohs(port);
  };
  switch (storage.ss_family) {
    case AF_INET: {
      const auto& address = reinterpret_cast<const sockaddr_in&>(storage);
      write(AF_INET, &address.sin_addr, address.sin_port, &address.sin_addr, 4);
      break;
    }
    case AF_INET6: {
      const auto& address = reinterpret_cast<const sockaddr_in6&>(storage);
      const auto* bytes = reinterpret_cast<const char*>(&address.sin6_addr);
      const bool is_mapped = IN6_IS_ADDR_V4MAPPED(&address.sin6_addr);  // An IPv4 client of an IPv6 socket.
      write(AF_INET6, bytes, address.sin6_port, is_mapped ? bytes + 12 : bytes, is_mapped ? 4 : 8);
      break;
    }
    case AF_UNIX:
      peer.size = static_cast<std::uint8_t>(std::string_view("unix:").copy(peer.buffer.data(), 5));
      break;
    default: break;
  }
  return peer;
}

}  // namespace millrace::serve
