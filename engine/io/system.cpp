#include "engine/io/system.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace millrace::io {

TimeNs monotonic_now() noexcept {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<TimeNs>(now.tv_sec) * ns_per_s + static_cast<TimeNs>(now.tv_nsec);
}

void signal_event(int event_fd) noexcept {
  const std::uint64_t one = 1;
  while (::write(event_fd, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

void close_socket(Descriptor descriptor, bool reset) noexcept {
  if (reset) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  ::close(descriptor);
}

bool peer_address_of(Descriptor descriptor, sockaddr_storage& out) noexcept {
  socklen_t size_bytes = sizeof out;
  return getpeername(descriptor, reinterpret_cast<sockaddr*>(&out), &size_bytes) == 0;
}

std::size_t unacknowledged_bytes_of(Descriptor descriptor) noexcept {
  int bytes = 0;
  return ioctl(descriptor, SIOCOUTQ, &bytes) == 0 ? static_cast<std::size_t>(bytes) : 0;
}

}  // namespace millrace::io
