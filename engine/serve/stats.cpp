#include "engine/serve/stats.hpp"

namespace millrace::serve {
namespace {

static_assert(close_reasons.size() == net::close_reason_count);

std::uint64_t read(const std::atomic<std::uint64_t>& count) noexcept {
  return count.load(std::memory_order_relaxed);
}

}  // namespace

void add_counters(const CoreCounters& counters, ServerStats& total) noexcept {
  total.connections_accepted += read(counters.accepted);
  total.connections_open += read(counters.connections_now);
  total.requests += read(counters.requests);
  total.refused += read(counters.refused);
  total.accept_errors += read(counters.accept_errors);
  total.buffer_starvations += read(counters.starvations);
  total.queue_overflows += read(counters.overflows);
  total.stale_completions += read(counters.stale_completions);
  total.timeouts += read(counters.timeouts);
  total.resets += read(counters.closed[static_cast<std::size_t>(net::CloseReason::reset)]);
  total.exchanges_cancelled += read(counters.cancelled);
  total.memory_bytes += read(counters.memory_bytes_now);
  total.websockets_opened += read(counters.sockets_opened);
  total.websocket_messages_received += read(counters.socket_messages_received);
  total.websocket_messages_sent += read(counters.socket_messages_sent);
  total.websockets_failed += read(counters.sockets_failed);
  total.published_dropped += read(counters.published_dropped);
  total.slow_subscribers_closed += read(counters.slow_subscribers_closed);
  total.connections_refused += read(counters.connections_refused);
  total.bytes_received += read(counters.bytes_received);
  total.bytes_sent += read(counters.bytes_sent);
  for (std::size_t i = 0; i < total.closed.size(); ++i) total.closed[i] += read(counters.closed[i]);
  for (std::size_t i = 0; i < total.replies.size(); ++i) total.replies[i] += read(counters.replies[i]);
}

void add_counters(const net::TransportCounters& counters, ServerStats& total) noexcept {
  total.tls_handshakes += read(counters.handshakes);
  total.tls_resumed += read(counters.resumed);
  total.tls_kernel += read(counters.kernel);
  total.tls_failures += read(counters.failures);
}

}  // namespace millrace::serve
