// kernel_tls.hpp: records of TLS that the kernel makes of what is sent, so that bytes of a file leave without
// going through user space. Source: Documentation/networking/tls.rst of Linux.
#pragma once

#include <sys/socket.h>

#include "engine/io/backend.hpp"

namespace millrace::io {

/// This kernel's, or null where it has none (CONFIG_TLS, which may be a module that is not loaded). Asks by one
/// socket, once a process. Any thread.
KernelTls* kernel_tls() noexcept;

/// Makes the message's bytes an alert in place of content (RFC 8446 section 6). The socket's records are the
/// kernel's.
void mark_alert(msghdr& message) noexcept;

}  // namespace millrace::io
