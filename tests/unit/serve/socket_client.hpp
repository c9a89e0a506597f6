// socket_client.hpp: a blocking client for tests of a real server; gives up after some seconds.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace millrace::test {

class SocketClient {
 public:
  /// "127.0.0.1:8080" or "unix:/path".
  explicit SocketClient(const std::string& address) {
    if (address.starts_with("unix:")) {
      sockaddr_un where{};
      where.sun_family = AF_UNIX;
      std::strncpy(where.sun_path, address.c_str() + 5, sizeof where.sun_path - 1);
      connect_to(AF_UNIX, reinterpret_cast<const sockaddr*>(&where), sizeof where);
    } else {
      sockaddr_in where{};
      where.sin_family = AF_INET;
      const std::size_t colon = address.rfind(':');
      ::inet_pton(AF_INET, address.substr(0, colon).c_str(), &where.sin_addr);
      where.sin_port = htons(static_cast<std::uint16_t>(std::atoi(address.c_str() + colon + 1)));
      connect_to(AF_INET, reinterpret_cast<const sockaddr*>(&where), sizeof where);
    }
  }
  SocketClient(const SocketClient&) = delete;
  SocketClient& operator=(const SocketClient&) = delete;
  ~SocketClient() { close(); }

  bool connected() const noexcept { return connected_; }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  /// Up to the end, a reset, or the limit of time.
  std::string read_all() {
    std::string got;
    char part[4096];
    for (ssize_t size; (size = ::recv(descriptor_, part, sizeof part, 0)) > 0;)
      got.append(part, static_cast<std::size_t>(size));
    return got;
  }
  void half_close() { ::shutdown(descriptor_, SHUT_WR); }
  void close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }
  void reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }

 private:
  void connect_to(int family, const sockaddr* where, socklen_t size) {
    descriptor_ = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    connected_ = ::connect(descriptor_, where, size) == 0;
  }

  int descriptor_ = -1;
  bool connected_ = false;
};

/// Sends `request` on a connection of its own, and reads until that is closed.
inline std::string ask(const std::string& address, std::string_view request) {
  SocketClient client(address);
  client.send(request);
  return client.read_all();
}

inline std::size_t count(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

}  // namespace millrace::test
