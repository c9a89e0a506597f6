// stats.hpp: from the counters of the cores to those of the server.
#pragma once

#include <millrace/server.hpp>

#include "engine/net/transport.hpp"
#include "engine/serve/core.hpp"

namespace millrace::serve {

/// Any thread: each count is read by itself, as its core published it last.
void add_counters(const CoreCounters& counters, ServerStats& total) noexcept;
void add_counters(const net::TransportCounters& counters, ServerStats& total) noexcept;

}  // namespace millrace::serve
