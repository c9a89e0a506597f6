// metrics.cpp: ServerStats in the text format of Prometheus, version 0.0.4.
#include <millrace/metrics.hpp>
#include <millrace/server.hpp>

#include "engine/base/assert.hpp"
#include "engine/serve/scheduler.hpp"

namespace millrace {
namespace {

struct Family {
  const char* name;
  const char* type;
  const char* help;
};

constexpr const char* counter = "counter";
constexpr const char* gauge = "gauge";
constexpr std::string_view classes[] = {"1xx", "2xx", "3xx", "4xx", "5xx"};

void begin(std::string& text, const Family& family) {
  text.append("# HELP ").append(family.name).append(" ").append(family.help);
  text.append("\n# TYPE ").append(family.name).append(" ").append(family.type).append("\n");
}

void sample(std::string& text, const char* name, std::string_view labels, std::uint64_t value) {
  text.append(name).append(labels).append(" ").append(std::to_string(value)).append("\n");
}

void add(std::string& text, const Family& family, std::uint64_t value) {
  begin(text, family);
  sample(text, family.name, {}, value);
}

void put_label(std::string& text, std::string_view name, std::string_view value) {
  text.append(name).append("=\"");
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    c == '\n' ? text.append("\\n") : text.append(1, c);
  }
  text += '"';
}

std::string labels(std::string_view name, std::string_view value) {
  std::string text("{");
  put_label(text, name, value);
  text += '}';
  return text;
}

void add_server(std::string& text, const Server& server, const ServerStats& stats) {
  const Family info{"millrace_info", gauge, "The backend, and why it is not io_uring where that was wanted."};
  begin(text, info);
  text.append(info.name).append("{");
  put_label(text, "backend", server.backend());
  text += ',';
  put_label(text, "reason", server.backend_reason());
  text.append("} 1\n");
  add(text, {"millrace_cores", gauge, "Threads that serve."}, server.cores());
  add(text, {"millrace_memory_bytes", gauge, "Blocks for bodies and replies on loan."}, stats.memory_bytes);
}

void add_connections(std::string& text, const ServerStats& stats) {
  add(text, {"millrace_connections_open", gauge, "Connections now."}, stats.connections_open);
  add(text, {"millrace_connections_accepted_total", counter, "Connections accepted."},
      stats.connections_accepted);
  add(text,
      {"millrace_connections_refused_total", counter, "Connections past the limit, told 503 or closed."},
      stats.connections_refused);
  add(text, {"millrace_accept_errors_total", counter, "Failures to accept, such as no descriptor left."},
      stats.accept_errors);
  const Family closed{"millrace_connections_closed_total", counter, "Connections closed, by why."};
  begin(text, closed);
  for (std::size_t i = 0; i < close_reasons.size(); ++i)
    sample(text, closed.name, labels("reason", close_reasons[i]), stats.closed[i]);
}

void add_requests(std::string& text, const ServerStats& stats) {
  add(text, {"millrace_requests_total", counter, "Requests whose head was read."}, stats.requests);
  add(text,
      {"millrace_requests_refused_total", counter, "Requests answered before any handler: 400, 413, 431."},
      stats.refused);
  add(text, {"millrace_requests_cancelled_total", counter, "Requests whose client left before their reply."},
      stats.exchanges_cancelled);
  add(text, {"millrace_timeouts_total", counter, "Deadlines that passed."}, stats.timeouts);
  const Family replies{"millrace_replies_total", counter, "Replies begun, by the class of their status."};
  begin(text, replies);
  for (std::size_t i = 1; i < stats.replies.size(); ++i)
    sample(text, replies.name, labels("status", classes[i - 1]), stats.replies[i]);
  add(text, {"millrace_received_bytes_total", counter, "Bytes received."}, stats.bytes_received);
  add(text, {"millrace_sent_bytes_total", counter, "Bytes sent."}, stats.bytes_sent);
}

void add_kernel(std::string& text, const ServerStats& stats) {
  add(text, {"millrace_buffer_starvations_total", counter, "Receives without a buffer (ENOBUFS)."},
      stats.buffer_starvations);
  add(text, {"millrace_queue_overflows_total", counter, "Times the completion queue ran over."},
      stats.queue_overflows);
  add(text, {"millrace_stale_completions_total", counter, "Completions for what was gone."},
      stats.stale_completions);
  add(text, {"millrace_log_lines_dropped_total", counter, "Lines of access logs that had no room."},
      stats.log_lines_dropped);
}

void add_sockets(std::string& text, const ServerStats& stats) {
  add(text, {"millrace_tls_handshakes_total", counter, "TLS handshakes completed."}, stats.tls_handshakes);
  add(text, {"millrace_tls_resumed_total", counter, "Of these, by resumption."}, stats.tls_resumed);
  add(text, {"millrace_tls_kernel_total", counter, "Connections whose sending the kernel has taken over."},
      stats.tls_kernel);
  add(text,
      {"millrace_tls_failures_total", counter, "TLS handshakes failed or too slow, and broken records."},
      stats.tls_failures);
  add(text, {"millrace_websockets_opened_total", counter, "WebSockets opened."}, stats.websockets_opened);
  add(text, {"millrace_websocket_messages_received_total", counter, "Messages received."},
      stats.websocket_messages_received);
  add(text, {"millrace_websocket_messages_sent_total", counter, "Messages sent."},
      stats.websocket_messages_sent);
  add(text, {"millrace_websockets_failed_total", counter, "WebSockets closed for what the peer sent."},
      stats.websockets_failed);
  add(text, {"millrace_published_dropped_total", counter, "Published messages a subscriber had no room for."},
      stats.published_dropped);
  add(text, {"millrace_slow_subscribers_closed_total", counter, "Subscribers closed because they were slow."},
      stats.slow_subscribers_closed);
}

}  // namespace

std::string metrics_text() {
  const serve::Scheduler* scheduler = serve::Scheduler::current();
  MR_ASSERT(scheduler != nullptr && scheduler->server != nullptr);  // Only within a handler of a Server.
  const Server& server = *scheduler->server;
  const ServerStats stats = server.stats();
  std::string text;
  text.reserve(8192);
  add_server(text, server, stats);
  add_connections(text, stats);
  add_requests(text, stats);
  add_kernel(text, stats);
  add_sockets(text, stats);
  return text;
}

}  // namespace millrace
