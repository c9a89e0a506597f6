#include "engine/serve/core_options.hpp"

#include <algorithm>
#include <cstdlib>

namespace millrace::serve {

io::BackendOptions backend_options(const ServerOptions& options) noexcept {
  io::BackendOptions rings;
  rings.queue_entries = options.ring_entries;
  rings.completion_entries = options.ring_completions;
  rings.buffers = options.ring_buffers;
  rings.buffer_bytes = options.ring_buffer_bytes;
  return rings;
}

CoreOptions core_options(const ServerOptions& options, std::size_t cores, std::string& problem) {
  CoreOptions core;
  const Result<http::Isa> isa = http::choose_isa();
  if (isa) {
    core.http.isa = isa.value();
  } else {
    const char* named = std::getenv("MILLRACE_ISA");
    problem = "MILLRACE_ISA is '" + std::string(named != nullptr ? named : "") +
              "', which this processor or build lacks: use scalar, sse4.2, avx2 or avx512, or unset it";
  }
  core.http.head.bytes_max = options.header_bytes;
  core.http.head.fields_max = static_cast<std::uint16_t>(options.headers);
  core.http.body_bytes_max = options.body_bytes;
  core.http.pipeline_max = options.pipeline;
  core.http.exchanges_max = options.exchanges;
  core.http.output_bytes_max = options.output_bytes;
  core.http.header_ns = options.header_ms * ns_per_ms;
  core.http.body_idle_ns = options.body_idle_ms * ns_per_ms;
  core.http.write_idle_ns = options.write_idle_ms * ns_per_ms;
  core.http.keepalive_ns = options.keepalive_ms * ns_per_ms;
  const auto share = static_cast<std::uint32_t>((options.connections + cores - 1) / cores);
  core.connections_max = std::max<std::uint32_t>(share, 1);
  core.memory_bytes_max = options.memory_bytes;
  core.linger_ns = options.linger_ms * ns_per_ms;
  return core;
}

}  // namespace millrace::serve
