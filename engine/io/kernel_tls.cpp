#include "engine/io/kernel_tls.hpp"

#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace millrace::io {
namespace {

constexpr char protocol_name[] = "tls";

bool attach_to(Descriptor socket) noexcept {
  return ::setsockopt(socket, IPPROTO_TCP, TCP_ULP, protocol_name, sizeof protocol_name) == 0;
}

class LinuxTls final : public KernelTls {
 public:
  bool attach(Descriptor socket) noexcept override { return attach_to(socket); }
  bool seal(Descriptor socket, std::span<const char> keys) noexcept override {
    return ::setsockopt(socket, SOL_TLS, TLS_TX, keys.data(), static_cast<socklen_t>(keys.size())) == 0;
  }
};

/// A socket that is not connected is refused for that where the kernel has TLS, else for the name.
bool is_there() noexcept {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return false;
  const bool there = !attach_to(probe) && errno == ENOTCONN;
  ::close(probe);
  return there;
}

/// Read again by the kernel each time it tries to send: it stays.
struct AlertMark {
  alignas(cmsghdr) char bytes[CMSG_SPACE(1)] = {};
  AlertMark() noexcept {
    msghdr message{};
    message.msg_control = bytes;
    message.msg_controllen = sizeof bytes;
    cmsghdr* mark = CMSG_FIRSTHDR(&message);
    mark->cmsg_level = SOL_TLS;
    mark->cmsg_type = TLS_SET_RECORD_TYPE;
    mark->cmsg_len = CMSG_LEN(1);
    *CMSG_DATA(mark) = 21;  // RFC 8446 section 5.1: alert.
  }
};

}  // namespace

KernelTls* kernel_tls() noexcept {
  static LinuxTls tls;
  static const bool there = is_there();
  return there ? &tls : nullptr;
}

void mark_alert(msghdr& message) noexcept {
  static AlertMark mark;
  message.msg_control = mark.bytes;
  message.msg_controllen = sizeof mark.bytes;
}

}  // namespace millrace::io
