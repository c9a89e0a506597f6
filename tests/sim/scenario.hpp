// scenario.hpp: a seeded world of one core or a few, and their clients, run to its end, and what must be true
// of it.
//
//   SimClient <-> Node: network, backend, Core <-> Hub <-> the other nodes
//
// Cores share nothing but the hub, so each has a network and a clock of its own; the one that is behind goes
// on, and so their turns are interleaved, the same for the same seed.
//
// Checked after every turn: what the clients judge (sim_client.hpp); memory within its bounds; connections
// that are open, closed and accepted add up, each closed one with its reason. At the end: nothing is
// missing that was promised, and no descriptor, operation, buffer, block, timer, coroutine or body source
// is left.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "engine/io/sim/world.hpp"
#include "engine/serve/core.hpp"
#include "engine/serve/hub.hpp"
#include "tests/sim/sim_client.hpp"
#include "tests/sim/sim_tls.hpp"
#include "tests/sim/world_plan.hpp"

namespace millrace::test {

/// Adds up structs of counts.
template <class Counts>
void add_counts(Counts& to, const Counts& more) noexcept {
  static_assert(sizeof(Counts) % sizeof(std::uint64_t) == 0);  // Counts, and nothing else.
  auto* counts = reinterpret_cast<std::uint64_t*>(&to);
  const auto* added = reinterpret_cast<const std::uint64_t*>(&more);
  for (std::size_t i = 0; i < sizeof(Counts) / sizeof(std::uint64_t); ++i) counts[i] += added[i];
}

class Scenario {
 public:
  /// The plan must outlive it.
  explicit Scenario(const WorldPlan& plan);

  /// Runs it to its end. An empty string, or what was wrong: then the core is in the middle of its work,
  /// and must not be destroyed.
  std::string run();

  /// A line for everything between the core and its kernel.
  void write_trace(std::string* out) noexcept {
    for (Node& node : nodes_) node.world.write_trace(out);
  }
  io::sim::FaultCounts faults() noexcept;
  const Met& met() const noexcept { return met_; }

 private:
  struct Node {
    Node(const WorldPlan& plan, std::size_t number, SimTls* tls);
    io::sim::World world;
    std::unique_ptr<net::TransportFactory> transports;  // Outlives the core.
    serve::Core core;
    io::Descriptor plain, secure = io::no_descriptor;
  };

  Node& node_of(const ClientPlan& client) noexcept { return nodes_[client.number % nodes_.size()]; }
  Node& behind() noexcept;
  std::string turn(TimeNs until);
  std::string check_turn(const Node& node);
  std::string live();
  std::string drain();
  std::string stop();
  std::string check_clients();
  std::string check_left(Node& node);
  bool done() const noexcept;
  std::uint64_t memory_bound(const Node& node) const noexcept;

  const WorldPlan& plan_;
  std::unique_ptr<SimTls> tls_;
  serve::Hub hub_;
  std::deque<Node> nodes_;
  std::deque<SimClient> clients_;
  std::size_t turns_ = 0;
  std::uint64_t sockets_wanted_ = 0;
  Met met_;
};

}  // namespace millrace::test
