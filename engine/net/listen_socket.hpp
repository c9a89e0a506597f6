// listen_socket.hpp: addresses to listen on, and the sockets for them. System calls at start only.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.hpp"
#include "engine/io/backend.hpp"

namespace millrace::net {

struct ListenAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  int inherited = -1;  ///< "fd:N": a socket that whoever started the process has opened; -1: ours to open.

  bool is_unix() const noexcept { return storage.ss_family == AF_UNIX; }
  std::uint16_t port() const noexcept;  ///< 0 for a unix socket.
  void set_port(std::uint16_t port) noexcept;
  /// "127.0.0.1:8080", "[::1]:8080", "unix:/run/millrace.sock"; "fd:3" before it was opened.
  std::string text() const;
};

/// Reads "127.0.0.1:8080", "[::1]:8080", "localhost:80", "*:80" (every IPv4 address), "unix:/path" or
/// "unix:@name" (abstract), "fd:3" (a listening socket this process was given). Returns an empty string, or one sentence that says what is wrong with it.
std::string read_listen_address(std::string_view text, ListenAddress& out);

/// True where somebody listens there already, also with SO_REUSEPORT: several cores of one server share
/// a port, two servers must not by accident. Port 0 is never in use.
Error check_free(const ListenAddress& address) noexcept;

/// Takes an inherited socket (`address.inherited`) that listens for TCP or unix streams: makes it
/// close-on-exec and non-blocking, with TCP_NODELAY for what it accepts, and fills `address` with where it
/// listens. The descriptor is the caller's from then on, unless this fails.
Error take_inherited_socket(ListenAddress& address) noexcept;

/// A listening socket, close-on-exec, TCP_NODELAY for what it accepts. `reuse_port` lets the sockets
/// of the other cores share the port. A unix socket's file is replaced when nobody answers on it.
/// On success `address` has the port that was chosen for port 0.
Result<io::Descriptor> open_listen_socket(ListenAddress& address, bool reuse_port, int backlog) noexcept;

/// One sentence with the mend for an errno of those above: "port 80 on 127.0.0.1 is in use: ...".
std::string describe_listen_error(const ListenAddress& address, Error error);

}  // namespace millrace::net
