// notify.hpp: tells the service manager how far the server is (sd_notify(3), the protocol alone).
#pragma once

#include <string_view>

namespace millrace::config {

/// Sends `state` ("READY=1") to the socket that NOTIFY_SOCKET names. True where it was sent; false
/// where nobody asked, or nobody listens: a server does not fail for that.
bool notify(std::string_view state) noexcept;

}  // namespace millrace::config
