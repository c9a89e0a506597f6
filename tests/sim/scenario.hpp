// scenario.hpp: a seeded world of one core and its clients, and what must be true of it afterwards.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/io/sim/world.hpp"
#include "engine/serve/core.hpp"
#include "tests/sim/sim_handler.hpp"

namespace millrace::test {

/// What one client wants to hear.
struct Wanted {
  unsigned status;
  std::string body;
  bool head = false;  ///< The reply to HEAD: Content-Length of `body`, no body.
};

/// How a client's connection ends.
enum class Ending : std::uint8_t {
  half_close,
  stay,
  close_early,
  reset,
  bad_request,
  close_field,
  never_read,
  stall
};

struct Script {
  std::string bytes;
  std::vector<Wanted> wanted;
  std::vector<std::size_t> ends;  ///< Where each request ends in `bytes`.
  Ending ending;
};

/// What else a world has; each is drawn by itself.
struct Mode {
  bool tight_memory = false;     ///< The pool runs out: 503, or the connection is closed.
  bool few_connections = false;  ///< Some clients wait to be accepted, or get a 503.
  bool short_timeouts = false;   ///< Who stalls, or stays, is let go before the end.
  bool drains = false;           ///< The stop comes in the middle of everything.
  TimeNs drain_after = 0;
  TimeNs grace = 0;
};

/// How often what must be met was met.
struct Met {
  std::uint64_t replies = 0, timed_out = 0, no_memory = 0, refused = 0, drained = 0, cut_by_grace = 0;
};

class Scenario {
 public:
  /// `faults` false: a world in which nothing goes wrong, so that every reply must arrive.
  Scenario(std::uint64_t seed, bool faults);

  /// Runs it to its end. An empty string, or what was wrong.
  std::string run();

  std::uint64_t trace_hash() const noexcept { return world_.trace_hash(); }
  const io::sim::FaultCounts& faults() noexcept { return world_.faults(); }
  const Met& met() const noexcept { return met_; }

 private:
  static io::sim::FaultPlan plan_of(std::uint64_t seed, bool faults);
  static Mode mode_of(io::sim::Random& random);
  static io::BackendOptions rings_of(io::sim::Random& random);
  serve::CoreOptions options_of(io::sim::Random& random);
  Script write_script(io::sim::Random& random);
  void add_request(io::sim::Random& random, Script& script, std::size_t number);
  void play(io::sim::Client client, const Script& script);
  void stall(io::sim::Random& random, Script& script);
  std::string live();
  std::string drain();
  std::string stop();
  std::string check(const Script& script, io::sim::Client client);
  std::string check_replies(const Script& script, io::sim::Client client, bool all);
  std::string check_end(const Script& script, io::sim::Client client);
  bool refused(io::sim::Client client) const;

  bool faulty_;
  io::sim::Random random_;
  Mode mode_;
  io::sim::World world_;
  SimHandler handler_;
  serve::Core core_;
  std::vector<Script> scripts_;
  std::vector<io::sim::Client> clients_;
  Met met_;
};

}  // namespace millrace::test
