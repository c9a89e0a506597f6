// setting.hpp: every setting once: its place in the file, its kind, its bounds, its member of
// ServerOptions. The file, the environment, the flags and `check --print` all read this table.
#pragma once

#include <millrace/server.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace millrace::config {

enum class Kind : std::uint8_t {
  count,
  power_of_two,
  size,
  duration,
  cores,
  backend,
  flag,
  addresses,
  path,
  client_auth,
  tls_version,
};

struct Setting {
  std::string_view section;
  std::string_view key;
  Kind kind;
  std::variant<std::uint32_t ServerOptions::*, std::uint64_t ServerOptions::*, bool ServerOptions::*,
               std::string ServerOptions::*, std::vector<std::string> ServerOptions::*>
      member;
  std::uint64_t min = 0;
  std::uint64_t max = 0;
};

inline constexpr std::uint64_t day_ms = 24ull * 3'600'000;

/// The bounds keep a typing error from becoming a machine without memory, and the counters that hold
/// these values from overflowing; they are no advice.
inline constexpr std::array settings = {
    Setting{"server", "listen", Kind::addresses, &ServerOptions::listen},
    Setting{"server", "cores", Kind::cores, &ServerOptions::cores, 1, 1024},
    Setting{"server", "backend", Kind::backend, &ServerOptions::backend},
    Setting{"server", "pin", Kind::flag, &ServerOptions::pin},
    Setting{"server", "own_descriptors", Kind::flag, &ServerOptions::own_descriptors},
    Setting{"tls", "listen", Kind::addresses, &ServerOptions::tls_listen},
    Setting{"tls", "cert", Kind::path, &ServerOptions::tls_cert},
    Setting{"tls", "key", Kind::path, &ServerOptions::tls_key},
    Setting{"tls", "client_auth", Kind::client_auth, &ServerOptions::tls_client_auth},
    Setting{"tls", "client_ca", Kind::path, &ServerOptions::tls_client_ca},
    Setting{"tls", "min_version", Kind::tls_version, &ServerOptions::tls_min_version},
    Setting{"tls", "redirect", Kind::flag, &ServerOptions::tls_redirect},
    Setting{"tls", "kernel", Kind::flag, &ServerOptions::tls_kernel},
    Setting{"tls", "handshake", Kind::duration, &ServerOptions::tls_handshake_ms, 1, day_ms},
    Setting{"tls", "session", Kind::duration, &ServerOptions::tls_session_ms, 1000, 7 * day_ms},
    Setting{"limits", "header_bytes", Kind::size, &ServerOptions::header_bytes, 256, 65'535},
    Setting{"limits", "headers", Kind::count, &ServerOptions::headers, 1, 4096},
    Setting{"limits", "body", Kind::size, &ServerOptions::body_bytes, 0, 1ull << 40},
    Setting{"limits", "connections", Kind::count, &ServerOptions::connections, 1, 10'000'000},
    Setting{"limits", "pipeline", Kind::count, &ServerOptions::pipeline, 1, 16'384},
    Setting{"limits", "exchanges", Kind::count, &ServerOptions::exchanges, 1, 10'000'000},
    Setting{"limits", "memory", Kind::size, &ServerOptions::memory_bytes, 1ull << 20, 1ull << 44},
    Setting{"limits", "output", Kind::size, &ServerOptions::output_bytes, 4096, 1ull << 30},
    Setting{"timeouts", "header", Kind::duration, &ServerOptions::header_ms, 1, day_ms},
    Setting{"timeouts", "body_idle", Kind::duration, &ServerOptions::body_idle_ms, 1, day_ms},
    Setting{"timeouts", "write_idle", Kind::duration, &ServerOptions::write_idle_ms, 1, day_ms},
    Setting{"timeouts", "keepalive", Kind::duration, &ServerOptions::keepalive_ms, 1, day_ms},
    Setting{"timeouts", "linger", Kind::duration, &ServerOptions::linger_ms, 0, day_ms},
    Setting{"drain", "delay", Kind::duration, &ServerOptions::drain_delay_ms, 0, day_ms},
    Setting{"drain", "grace", Kind::duration, &ServerOptions::drain_grace_ms, 0, day_ms},
    Setting{"rings", "entries", Kind::power_of_two, &ServerOptions::ring_entries, 64, 32'768},
    Setting{"rings", "completions", Kind::power_of_two, &ServerOptions::ring_completions, 128, 65'536},
    Setting{"rings", "buffers", Kind::power_of_two, &ServerOptions::ring_buffers, 8, 32'768},
    Setting{"rings", "buffer_bytes", Kind::size, &ServerOptions::ring_buffer_bytes, 1024, 1ull << 20},
};
inline constexpr std::size_t settings_count = settings.size();

/// settings_count where there is none.
std::size_t index_of(std::string_view section, std::string_view key);
std::vector<std::string_view> section_names();
std::vector<std::string_view> keys_of(std::string_view section);

/// A value before it is judged, as its source wrote it.
struct Value {
  enum class Shape : std::uint8_t {
    integer,
    boolean,
    text,
    list,   ///< Of texts.
    plain,  ///< From a flag or the environment: the setting decides what it is.
    other,  ///< A type that no setting has.
  };
  Shape shape = Shape::other;
  std::int64_t integer = 0;  ///< Also a boolean's.
  std::string text;          ///< As shown in messages, also for the other shapes.
  std::vector<std::string> list = {};
};

/// Judges `value` and stores it. Empty, or what is wrong: "expected a size ...". Then nothing changes.
std::string assign(const Setting& setting, const Value& value, ServerOptions& options);

/// As the file would write it.
std::string show(const Setting& setting, const ServerOptions& options);

}  // namespace millrace::config
