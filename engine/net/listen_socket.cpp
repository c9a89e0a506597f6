#include "engine/net/listen_socket.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>

namespace millrace::net {
namespace {

Error system_error() noexcept { return {Errc::system, 0, errno}; }

/// What the kernel takes of a connection's output before it may send it. Without a bound a peer that does not
/// read has megabytes buffered for it, outside of every limit of ours, and filling them holds up the others.
constexpr int unsent_bytes_max = 128 * 1024;

/// Of a listening socket; those it accepts inherit them.
void set_tcp_options(int descriptor) noexcept {
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_bytes_max, sizeof unsent_bytes_max);
}

sockaddr_in& v4(sockaddr_storage& storage) noexcept { return reinterpret_cast<sockaddr_in&>(storage); }
sockaddr_in6& v6(sockaddr_storage& storage) noexcept { return reinterpret_cast<sockaddr_in6&>(storage); }
sockaddr_un& local(sockaddr_storage& storage) noexcept { return reinterpret_cast<sockaddr_un&>(storage); }

std::string read_unix(std::string_view path, ListenAddress& out) {
  sockaddr_un& address = local(out.storage);
  if (path.empty()) return "the path after 'unix:' is empty";
  if (path.size() >= sizeof address.sun_path) {
    return "a unix socket's path has at most " + std::to_string(sizeof address.sun_path - 1) + " bytes";
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path.front() == '@') address.sun_path[0] = '\0';
  const std::size_t end = path.front() == '@' ? path.size() : path.size() + 1;
  out.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + end);
  return {};
}

bool read_port(std::string_view text, std::uint16_t& port) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

const char* path_of(const ListenAddress& address) noexcept {
  return reinterpret_cast<const sockaddr_un&>(address.storage).sun_path;
}

// A socket file that nobody listens on is a left-over of a server that was killed.
void remove_if_dead(const ListenAddress& address) noexcept {
  const char* path = path_of(address);
  struct stat status {};
  if (*path == '\0' || ::lstat(path, &status) != 0 || !S_ISSOCK(status.st_mode)) return;
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return;
  const int refused = ::connect(probe, reinterpret_cast<const sockaddr*>(&address.storage), address.size);
  if (refused != 0 && errno == ECONNREFUSED) ::unlink(path);
  ::close(probe);
}

}  // namespace

std::uint16_t ListenAddress::port() const noexcept {
  auto& where = const_cast<sockaddr_storage&>(storage);
  if (storage.ss_family == AF_INET) return ntohs(v4(where).sin_port);
  if (storage.ss_family == AF_INET6) return ntohs(v6(where).sin6_port);
  return 0;
}

void ListenAddress::set_port(std::uint16_t port) noexcept {
  if (storage.ss_family == AF_INET) v4(storage).sin_port = htons(port);
  if (storage.ss_family == AF_INET6) v6(storage).sin6_port = htons(port);
}

std::string ListenAddress::text() const {
  if (size == 0) return "fd:" + std::to_string(inherited);
  auto& where = const_cast<sockaddr_storage&>(storage);
  if (is_unix()) {
    const char* path = path_of(*this);
    if (*path != '\0') return std::string("unix:") + path;
    return "unix:@" + std::string(path + 1, size - offsetof(sockaddr_un, sun_path) - 1);
  }
  char host[INET6_ADDRSTRLEN] = "";
  if (storage.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &v4(where).sin_addr, host, sizeof host);
    return std::string(host) + ":" + std::to_string(port());
  }
  ::inet_ntop(AF_INET6, &v6(where).sin6_addr, host, sizeof host);
  return "[" + std::string(host) + "]:" + std::to_string(port());
}

std::string read_listen_address(std::string_view text, ListenAddress& out) {
  out = {};
  const std::string shown = "'" + std::string(text) + "'";
  if (text.starts_with("unix:")) {
    const std::string wrong = read_unix(text.substr(5), out);
    return wrong.empty() ? wrong : shown + ": " + wrong;
  }
  if (text.starts_with("fd:")) {
    const std::string_view number = text.substr(3);
    const char* const end = number.data() + number.size();
    const auto [at, error] = std::from_chars(number.data(), end, out.inherited);
    if (error == std::errc() && at == end && out.inherited >= 0) return {};
    return shown + ": expected the number of a file descriptor, as fd:3";
  }
  const std::size_t colon = text.rfind(':');
  std::uint16_t port = 0;
  if (colon == std::string_view::npos || !read_port(text.substr(colon + 1), port)) {
    return shown +
           " is no address: write HOST:PORT with a port from 0 to 65535, as 127.0.0.1:8080, [::1]:8080 or "
           "unix:/path";
  }
  std::string host(text.substr(0, colon));
  if (host == "*") host = "0.0.0.0";
  if (host == "localhost") host = "127.0.0.1";
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (::inet_pton(AF_INET6, host.c_str(), &v6(out.storage).sin6_addr) == 1) {
      out.storage.ss_family = AF_INET6;
      out.size = sizeof(sockaddr_in6);
    }
  } else if (::inet_pton(AF_INET, host.c_str(), &v4(out.storage).sin_addr) == 1) {
    out.storage.ss_family = AF_INET;
    out.size = sizeof(sockaddr_in);
  }
  if (out.size == 0) {
    return shown +
           " is no address: the host is a numeric IPv4 address, an IPv6 address in brackets, localhost or *";
  }
  out.set_port(port);
  return {};
}

Error check_free(const ListenAddress& address) noexcept {
  if (address.inherited >= 0 || address.is_unix() || address.port() == 0) return {};
  const int probe = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return system_error();
  const int on = 1;
  ::setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.storage.ss_family == AF_INET6) ::setsockopt(probe, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  Error error;
  if (::bind(probe, reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0)
    error = system_error();
  ::close(probe);
  return error;
}

Error take_inherited_socket(ListenAddress& address) noexcept {
  const int descriptor = address.inherited;
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return system_error();
  int type = 0, listens = 0;
  socklen_t bytes = sizeof type;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &bytes) != 0) return system_error();
  if (::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &bytes) != 0) return system_error();
  const bool tcp = storage.ss_family == AF_INET || storage.ss_family == AF_INET6;
  if (type != SOCK_STREAM || listens == 0 || (!tcp && storage.ss_family != AF_UNIX))
    return {Errc::system, 0, EINVAL};
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0 || ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != 0) return system_error();
  if (::fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0) return system_error();
  if (tcp) set_tcp_options(descriptor);
  address.storage = storage;
  address.size = size;
  return {};
}

Result<io::Descriptor> open_listen_socket(ListenAddress& address, bool reuse_port, int backlog) noexcept {
  if (address.is_unix()) remove_if_dead(address);
  const int descriptor = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return system_error();
  const int on = 1;
  if (!address.is_unix()) {
    ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (reuse_port) ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    set_tcp_options(descriptor);
    if (address.storage.ss_family == AF_INET6) {
      ::setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    }
  }
  auto* where = reinterpret_cast<sockaddr*>(&address.storage);
  if (::bind(descriptor, where, address.size) != 0 || ::listen(descriptor, backlog) != 0) {
    const Error error = system_error();
    ::close(descriptor);
    return error;
  }
  if (!address.is_unix()) {
    socklen_t size = sizeof address.storage;
    ::getsockname(descriptor, where, &size);
  }
  return descriptor;
}

std::string describe_listen_error(const ListenAddress& address, Error error) {
  const std::string where = address.text();
  if (address.inherited >= 0) {
    const bool closed = error.os_errno == EBADF;
    return where + (closed ? " is not open" : " is no socket that listens for streams") +
           ": whoever starts this process gives it the socket (systemd: a .socket unit with ListenStream=)";
  }
  switch (error.os_errno) {
    case EADDRINUSE:
      return where +
             " is in use by another process: stop that one (ss -ltnp shows it) or choose another address";
    case EACCES:
      if (address.is_unix())
        return "no permission to make " + where + ": choose a directory that this user may write to";
      return "no permission to listen on " + where +
             ": ports below 1024 need CAP_NET_BIND_SERVICE (setcap cap_net_bind_service=+ep on the binary) "
             "or another port";
    case EADDRNOTAVAIL:
      return where + " is not an address of this machine: ip address shows which are; 0.0.0.0 listens on all";
    case ENOENT: return where + ": its directory does not exist: make it first";
    case EMFILE:
    case ENFILE: return "no file descriptor is left for " + where + ": raise the limit (ulimit -n)";
    case EAFNOSUPPORT: return where + ": this machine has no such address family (IPv6 may be off)";
    default: return "cannot listen on " + where + ": " + std::strerror(error.os_errno);
  }
}

}  // namespace millrace::net
