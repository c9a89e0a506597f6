// world_plan.hpp: all that a seed draws before its world begins, as data, so that parts of it can be left
// out while a failure is made small.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/backend.hpp"
#include "engine/io/sim/fault_plan.hpp"
#include "engine/serve/core.hpp"
#include "tests/sim/sim_app.hpp"
#include "tests/sim/sim_request.hpp"

namespace millrace::test {

/// How a client's connection ends.
enum class Ending : std::uint8_t { half_close, stay, close_early, reset, last_request, never_read, stall };
const char* name_of(Ending ending) noexcept;

struct ClientPlan {
  std::size_t number = 0;
  std::vector<SimRequest> requests;
  Ending ending = Ending::stay;
  bool secure = false;     ///< TLS, where the world has it.
  bool old_tls = false;    ///< 1.2.
  bool whole = false;      ///< All that may be sent is sent at once, else in pieces.
  std::size_t window = 0;  ///< Requests in flight; 0: all of them, whatever is answered.
  TimeNs connects_after = 0;
  TimeNs leaves_after = 0;  ///< close_early, reset.
  TimeNs pauses_after = 0;  ///< From then on it reads nothing, for pauses_for.
  TimeNs pauses_for = 0;
  std::uint64_t cut = 0;   ///< stall: what it sends ends there, modulo its size.
  std::uint64_t seed = 0;  ///< For the sizes and times of its pieces.

  /// The client does not wait for what it is owed.
  bool leaves() const noexcept {
    return ending == Ending::close_early || ending == Ending::reset || ending == Ending::never_read;
  }
};

/// What else a world has; each is drawn by itself.
struct Mode {
  bool tight_memory = false;     ///< The pool runs out: 503, or the connection is closed.
  bool few_connections = false;  ///< Some clients wait to be accepted, or get a 503.
  bool short_timeouts = false;   ///< Who stalls, or stays, is let go before the end.
  bool drains = false;           ///< The stop comes in the middle of everything.
  TimeNs drain_after = 0;
  TimeNs grace = 0;
  std::size_t cores = 1;
  bool secure = false;        ///< Some clients speak TLS.
  bool kernel_seals = false;  ///< And the kernel makes the records of files.
};

struct WorldPlan {
  std::uint64_t seed = 0;
  bool faulty = false;
  Mode mode;
  io::sim::FaultPlan faults;
  io::BackendOptions rings;
  serve::CoreOptions core;
  std::vector<ClientPlan> clients;
};

/// Which parts of a world are left, a bit each.
struct Kept {
  static constexpr unsigned clients_max = sim_clients_max;
  static constexpr unsigned requests_max = 64;  ///< Of a client; those beyond share the last bit.
  static constexpr unsigned fault_kinds = 13;
  static constexpr unsigned mode_kinds = 12;
  using Bits = std::uint64_t;
  Bits clients = (Bits{1} << clients_max) - 1;
  Bits faults = (Bits{1} << fault_kinds) - 1;
  Bits modes = (Bits{1} << mode_kinds) - 1;
  std::array<Bits, clients_max> requests;

  Kept() noexcept { requests.fill(~Bits{0}); }
  /// "clients/faults/modes/requests.requests...", in hexadecimal digits.
  std::string text() const;
  static std::optional<Kept> read(std::string_view text);
};

/// The same seed and the same parts give the same plan. Every eighth seed has no faults.
WorldPlan draw_world(std::uint64_t seed, const Kept& kept = {});
/// For people, several lines.
std::string describe(const WorldPlan& plan);

inline constexpr TimeNs long_grace = 5 * ns_per_s;  ///< Nobody who reads needs longer.

}  // namespace millrace::test
