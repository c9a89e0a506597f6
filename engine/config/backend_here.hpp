// backend_here.hpp: what the setting `backend` comes to on this machine.
#pragma once

#include <millrace/server.hpp>

#include <string>

namespace millrace::config {

/// "io_uring"; "epoll"; "epoll, because io_uring cannot be used: ..."; or "none, because ...". Tries it.
std::string backend_here(const ServerOptions& options);

}  // namespace millrace::config
