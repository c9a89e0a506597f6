#include "engine/serve/server_check.hpp"

#include <bit>
#include <cstdint>
#include <string_view>

namespace millrace::serve {
namespace {

struct Range {
  std::string_view name;
  std::uint64_t value;
  std::uint64_t min;
  std::uint64_t max;
  bool power_of_two = false;
};

bool holds(const Range& range) noexcept {
  if (range.power_of_two && !std::has_single_bit(range.value)) return false;
  return range.value >= range.min && range.value <= range.max;
}

}  // namespace

std::string check_options(const ServerOptions& options) {
  const Range ranges[] = {
      {"cores", options.cores, 0, 1024},
      {"header_bytes", options.header_bytes, 256, 65'535},
      {"headers", options.headers, 1, 4096},
      {"connections", options.connections, 1, 10'000'000},
      {"pipeline", options.pipeline, 1, 16'384},
      {"exchanges", options.exchanges, 1, 10'000'000},
      {"output_bytes", options.output_bytes, 1, 1ull << 30},
      {"tls_handshake_ms", options.tls_handshake_ms, 1, 86'400'000},
      {"tls_session_ms", options.tls_session_ms, 1000, 604'800'000},
      {"ring_entries", options.ring_entries, 1, 32'768, true},
      {"ring_completions", options.ring_completions, options.ring_entries, 65'536, true},
      {"ring_buffers", options.ring_buffers, 1, 32'768, true},
      {"ring_buffer_bytes", options.ring_buffer_bytes, 64, 1u << 20},
  };
  for (const Range& range : ranges) {
    if (holds(range)) continue;
    return "the option " + std::string(range.name) + " is " + std::to_string(range.value) + ": use " +
           (range.power_of_two ? "a power of two" : "a number") + " from " + std::to_string(range.min) +
           " to " + std::to_string(range.max);
  }
  if (options.tls_client_auth != "off" && options.tls_client_auth != "optional" &&
      options.tls_client_auth != "required") {
    return "the option tls_client_auth is '" + options.tls_client_auth + "': use off, optional or required";
  }
  if (options.tls_min_version != "1.2" && options.tls_min_version != "1.3") {
    return "the option tls_min_version is '" + options.tls_min_version + "': use 1.2 or 1.3";
  }
  if (options.listen.empty() && options.tls_listen.empty())
    return "there is no address to listen on: add one, such as 127.0.0.1:8080";
  if (options.backend != "auto" && options.backend != "uring" && options.backend != "epoll") {
    return "the backend '" + options.backend + "' is unknown: use auto, uring or epoll";
  }
  return {};
}

}  // namespace millrace::serve
