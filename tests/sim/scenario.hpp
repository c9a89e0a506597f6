// scenario.hpp: a seeded world of one core and its clients, run to its end, and what must be true of it.
//
// Checked after every turn: what the clients judge (sim_client.hpp); memory within its bounds; connections
// that are open, closed and accepted add up, each closed one with its reason. At the end: nothing is
// missing that was promised, and no descriptor, operation, buffer, block, timer, coroutine or body source
// is left.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "engine/io/sim/world.hpp"
#include "engine/serve/core.hpp"
#include "tests/sim/sim_client.hpp"
#include "tests/sim/world_plan.hpp"

namespace millrace::test {

class Scenario {
 public:
  /// The plan must outlive it.
  explicit Scenario(const WorldPlan& plan);

  /// Runs it to its end. An empty string, or what was wrong: then the core is in the middle of its work,
  /// and must not be destroyed.
  std::string run();

  /// A line for everything between the core and its kernel.
  void write_trace(std::string* out) noexcept { world_.write_trace(out); }
  std::uint64_t trace_hash() const noexcept { return world_.trace_hash(); }
  const io::sim::FaultCounts& faults() noexcept { return world_.faults(); }
  const Met& met() const noexcept { return met_; }

 private:
  std::string turn(TimeNs until);
  std::string check_turn();
  std::string live();
  std::string drain();
  std::string stop();
  std::string check_clients();
  std::uint64_t memory_bound() const noexcept;

  const WorldPlan& plan_;
  io::sim::World world_;
  serve::Core core_;
  std::deque<SimClient> clients_;
  std::size_t turns_ = 0;
  Met met_;
};

}  // namespace millrace::test
