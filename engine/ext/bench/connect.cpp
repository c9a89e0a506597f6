#include "engine/ext/bench/connect.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace millrace::bench {
namespace {

Error system_error() noexcept { return {.code = Errc::system, .os_errno = errno}; }

const sockaddr* address_of(const Endpoint& endpoint) noexcept {
  return reinterpret_cast<const sockaddr*>(&endpoint.address);
}

/// Waits for a connection that was begun; its errno, 0 where it was made.
int await_connection(int descriptor, TimeNs patience) noexcept {
  pollfd one{.fd = descriptor, .events = POLLOUT, .revents = 0};
  const int patience_ms = static_cast<int>(std::min<TimeNs>(patience / ns_per_ms, 1 << 30));
  if (::poll(&one, 1, patience_ms) != 1) return ETIMEDOUT;
  int failed = 0;
  socklen_t size_bytes = sizeof failed;
  ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failed, &size_bytes);
  return failed;
}

}  // namespace

Result<io::Descriptor> begin_connect(const Endpoint& endpoint) noexcept {
  const bool local = endpoint.address.ss_family == AF_UNIX;
  // A unix socket is connected at once, or waits for a place in the server's queue: then in the call.
  const int descriptor =
      ::socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | (local ? 0 : SOCK_NONBLOCK), 0);
  if (descriptor < 0) return system_error();
  const int on = 1;
  if (!local) ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(descriptor, address_of(endpoint), endpoint.address_bytes) < 0 && errno != EINPROGRESS) {
    const Error error = system_error();
    ::close(descriptor);
    return error;
  }
  // io_uring answers EAGAIN for a non-blocking socket, where for a blocking one it waits.
  if (!local) ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) & ~O_NONBLOCK);
  return descriptor;
}

const Endpoint* first_that_answers(const std::vector<Endpoint>& endpoints, TimeNs patience,
                                   int& os_errno) noexcept {
  for (const Endpoint& endpoint : endpoints) {
    const Result<io::Descriptor> made = begin_connect(endpoint);
    os_errno = made ? await_connection(made.value(), patience) : made.error().os_errno;
    if (made) ::close(made.value());
    if (os_errno == 0) return &endpoint;
  }
  return nullptr;
}

}  // namespace millrace::bench
