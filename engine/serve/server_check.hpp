// server_check.hpp: options that a program set by itself, judged before anything is started.
#pragma once

#include <millrace/server.hpp>

#include <string>

namespace millrace::serve {

/// An empty string, or one sentence on the first option that no server can run with. The configuration
/// has narrower bounds; these are what the engine's counters and the kernel can hold.
std::string check_options(const ServerOptions& options);

}  // namespace millrace::serve
