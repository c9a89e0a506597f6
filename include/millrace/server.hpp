// server.hpp: the options of a server, and a server that runs inside a program with its own main loop.
#pragma once

#include <millrace/namespace.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

class App;

/// One certificate of a server. The files are in PEM form.
struct TlsCertificate {
  std::string cert;  ///< The server's certificate, then those that lead from it to the authority's.
  std::string key;   ///< Its private key, without a passphrase.
  std::vector<std::string> hosts = {};  ///< Names it is shown for ("*.example.org"); none: those in it.
};

/// Every limit has a name, a unit and a default; the configuration file uses the same names.
struct ServerOptions {
  // [server]
  /// "127.0.0.1:8080", "[::1]:8080", "unix:/path"; port 0: any. "fd:3": a listening socket that the process
  /// was given; start() takes it over.
  std::vector<std::string> listen;
  std::uint32_t cores = 0;       ///< Threads; 0: one for each CPU of the affinity mask.
  std::string backend = "auto";  ///< uring | epoll; auto: io_uring, or epoll where that is forbidden.
  bool pin = true;               ///< Pin each core's thread to its CPU.
  /// Each core has a descriptor table of its own, so that the limit of open files is a core's and not the
  /// process's. Handlers must then not pass descriptors between cores.
  bool own_descriptors = false;

  // [tls]
  std::vector<std::string> tls_listen;  ///< Addresses as in `listen`, for HTTPS.
  std::string tls_cert;                 ///< As TlsCertificate::cert; shown where no name fits.
  std::string tls_key;
  std::vector<TlsCertificate>
      tls_certificates;                 ///< More of them; the first is shown where tls_cert is empty.
  std::string tls_client_auth = "off";  ///< off | optional | required: certificates of clients.
  std::string tls_client_ca;            ///< The authorities that sign those, in one PEM file.
  std::string tls_min_version = "1.2";  ///< 1.2 | 1.3
  bool tls_redirect = false;            ///< `listen` answers 308 to the same URL on HTTPS, and nothing else.
  bool tls_kernel = true;  ///< Large files are sealed by the kernel, where it can, and not copied.
  std::uint32_t tls_handshake_ms = 10'000;   ///< From accept to the end of the handshake (close).
  std::uint32_t tls_session_ms = 7'200'000;  ///< How long a client may resume; and a ticket key's age.

  // [limits]
  std::uint32_t header_bytes = 16 * 1024;   ///< Request line and fields (431, 414); at most 65535.
  std::uint32_t headers = 100;              ///< Fields (431).
  std::uint64_t body_bytes = 8ull << 20;    ///< Request body (413).
  std::uint32_t connections = 100'000;      ///< All cores together; past it accepting pauses.
  std::uint32_t pipeline = 128;             ///< Requests in flight on a connection; past it reading stops.
  std::uint32_t exchanges = 65'536;         ///< Requests in coroutines, a core; past it 503.
  std::uint64_t memory_bytes = 1ull << 30;  ///< Blocks for bodies and replies, a core; past it 503.
  std::uint32_t output_bytes = 256 * 1024;  ///< Unsent reply bytes of a connection; past it reading stops.

  // [timeouts], milliseconds
  std::uint32_t header_ms = 10'000;      ///< From the first byte of a head to its last (408).
  std::uint32_t body_idle_ms = 30'000;   ///< Between two parts of a body (408).
  std::uint32_t write_idle_ms = 30'000;  ///< A peer that does not read (close).
  std::uint32_t keepalive_ms = 75'000;   ///< Between two requests (close).
  std::uint32_t linger_ms = 2'000;  ///< How long a closing connection reads on, to deliver its last reply.

  // [drain], milliseconds
  std::uint32_t drain_delay_ms = 0;       ///< Keep serving this long after SIGTERM.
  std::uint32_t drain_grace_ms = 20'000;  ///< Then this long for requests under way.

  // [rings], a core
  std::uint32_t ring_entries = 4096;
  std::uint32_t ring_completions = 16'384;
  std::uint32_t ring_buffers = 512;
  std::uint32_t ring_buffer_bytes = 8192;
};

/// Why connections were closed, in the order of ServerStats::closed.
inline constexpr std::array<std::string_view, 8> close_reasons = {
    "finished", "peer_closed", "reset", "timeout", "refused", "incomplete", "no_memory", "stopped"};

/// Counters summed over the cores; monotonic since start.
struct ServerStats {
  std::uint64_t connections_accepted = 0, connections_open = 0, requests = 0, refused = 0;
  std::uint64_t accept_errors = 0, buffer_starvations = 0, queue_overflows = 0, stale_completions = 0;
  std::uint64_t timeouts = 0, resets = 0, exchanges_cancelled = 0;
  std::uint64_t connections_refused = 0;                     ///< Past the limit: told 503, or closed.
  std::array<std::uint64_t, close_reasons.size()> closed{};  ///< Connections, by why.
  std::array<std::uint64_t, 6> replies{};                    ///< Begun, by the first digit of their status.
  std::uint64_t bytes_received = 0, bytes_sent = 0;          ///< Of connections, TLS and all.
  std::uint64_t websockets_opened = 0, websocket_messages_received = 0, websocket_messages_sent = 0;
  std::uint64_t websockets_failed = 0;  ///< Closed for what the peer sent.
  std::uint64_t published_dropped = 0;  ///< Messages of a topic that one subscriber had no room for.
  std::uint64_t slow_subscribers_closed = 0;
  std::uint64_t tls_handshakes = 0, tls_resumed = 0;  ///< Completed; of these, by resumption.
  std::uint64_t tls_kernel = 0;         ///< Connections whose sending the kernel has taken over, for a file.
  std::uint64_t tls_failures = 0;       ///< Handshakes that failed or took too long, and broken records.
  std::uint64_t memory_bytes = 0;       ///< Blocks on loan now.
  std::uint64_t log_lines_dropped = 0;  ///< By access logs, since they were made.
};

/// Takes no signal and has no globals: several may live in one process.
class Server {
 public:
  /// The app must outlive the server and is not changed once start() was called.
  Server(App& app, ServerOptions options);
  ~Server();  ///< stop()s.
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Opens the listeners and starts the threads; returns when connections are accepted. An empty
  /// string, or one sentence that says what failed and how to mend it; then nothing runs.
  [[nodiscard]] std::string start();
  /// Stops accepting, lets requests under way finish for `grace_ms` at most, and ends the threads.
  void stop(std::uint32_t grace_ms = 20'000);
  /// Asks for the same without waiting for it; a later call may shorten the grace. Any thread.
  void drain(std::uint32_t grace_ms) noexcept;
  /// Access logs go on in new files under their names: the old ones may have been moved away. Any thread.
  void reopen_logs() noexcept;
  /// True once every core has ended after drain(), and before start().
  bool drained() const noexcept;
  /// Sends a text to every WebSocket that has subscribed to the topic, as mr::publish() does within a handler.
  /// Any thread, while the server runs; false where a core's queue is full.
  bool publish(std::string_view topic, std::string_view text) noexcept;
  /// Where it listens, port 0 replaced by the real one; valid after start().
  std::vector<std::string> addresses() const;
  /// The same of tls_listen.
  std::vector<std::string> tls_addresses() const;
  /// Reads the certificate files of the options again, for connections from now on; those that are open
  /// keep theirs. An empty string, or what is wrong: then the old ones stay. Any thread.
  [[nodiscard]] std::string reload_certificates();
  std::uint32_t cores() const noexcept;
  /// "io_uring" or "epoll", the same for all cores; valid after start().
  std::string backend() const;
  /// Why "auto" came to epoll, and what mends it, in one sentence; else empty. Valid after start().
  std::string backend_reason() const;
  ServerStats stats() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace millrace
