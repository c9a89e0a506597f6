// scenario.hpp: a seeded world of one core and its clients, and what must be true of it afterwards.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/io/sim/world.hpp"
#include "engine/serve/core.hpp"
#include "tests/sim/sim_handler.hpp"

namespace mr::test {

/// What one client wants to hear.
struct Wanted {
  unsigned status;
  std::string body;
  bool head = false;  ///< The reply to HEAD: Content-Length of `body`, no body.
};

/// How a client's connection ends.
enum class Ending : std::uint8_t { half_close, stay, close_early, reset, bad_request, close_field, never_read };

struct Script {
  std::string bytes;
  std::vector<Wanted> wanted;
  Ending ending;
};

class Scenario {
 public:
  /// `faults` false: a world in which nothing goes wrong, so that every reply must arrive.
  Scenario(std::uint64_t seed, bool faults);

  /// Runs it to its end. An empty string, or what was wrong.
  std::string run();

  std::uint64_t trace_hash() const noexcept { return world_.trace_hash(); }
  const io::sim::FaultCounts& faults() noexcept { return world_.faults(); }
  std::uint64_t replies_checked() const noexcept { return replies_; }

 private:
  static io::sim::FaultPlan plan_of(std::uint64_t seed, bool faults);
  static io::BackendOptions rings_of(io::sim::Random& random);
  serve::CoreOptions options_of(io::sim::Random& random);
  Script write_script(io::sim::Random& random);
  void add_request(io::sim::Random& random, Script& script, std::size_t number);
  void play(io::sim::Client client, const Script& script);
  std::string check(const Script& script, io::sim::Client client, bool all);

  bool faulty_;
  io::sim::Random random_;
  io::sim::World world_;
  SimHandler handler_;
  serve::Core core_;
  std::uint64_t replies_ = 0;
};

}  // namespace mr::test
