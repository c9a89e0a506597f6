#include "tests/sim/scenario.hpp"

#include <algorithm>

#include "tests/sim/sim_app.hpp"

namespace millrace::test {
namespace {

constexpr TimeNs lifetime = 20 * ns_per_s;
constexpr std::size_t turns_max = 200'000;  ///< In a whole life; some hundreds are usual.

std::uint64_t closed(const serve::CoreCounters& counters) noexcept {
  std::uint64_t sum = 0;
  for (const auto& count : counters.closed) sum += count;
  return sum;
}

}  // namespace

Scenario::Scenario(const WorldPlan& plan)
    : plan_(plan), world_(plan.seed, plan.faults, plan.rings), core_(plan.core, world_.backend(), sim_app()) {
  live_counts() = {};
}

// What the limits promise of a core's blocks: each connection has its unsent output and one reply that went
// over it, its unread input, and for each request in flight a copy of it and its reply. Blocks are powers
// of two, hence twice.
std::uint64_t Scenario::memory_bound() const noexcept {
  const h1::Options& http = plan_.core.http;
  const std::uint64_t request =
      http.body_bytes_max + http.head.bytes_max + http.head.fields_max * sizeof(http::Field);
  const std::uint64_t reply = sim_reply_bytes_max + 1024;
  const std::uint64_t one = http.output_bytes_max + reply + 2 * (request + plan_.rings.buffer_bytes) +
                            http.pipeline_max * (request + reply);
  const std::uint64_t left =
      live_counts().coroutines * (request + reply);  // Of clients that have gone, until they end.
  return std::min<std::uint64_t>(plan_.core.memory_bytes_max, 2 * (one * core_.connections() + left));
}

std::string Scenario::check_turn() {
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    if (!clients_[i].wrong().empty()) return "client " + std::to_string(i) + ": " + clients_[i].wrong();
  }
  if (core_.pool().bytes_used() > memory_bound()) {
    return "memory is not bounded: " + std::to_string(core_.pool().bytes_used()) + " bytes for " +
           std::to_string(core_.connections()) + " connections";
  }
  // Closed ones live on until their last operation has completed.
  const serve::CoreCounters& counters = core_.counters();
  const std::uint64_t gone = closed(counters);
  if (gone > counters.accepted || counters.accepted - gone > core_.connections())
    return "connections do not add up: accepted " + std::to_string(counters.accepted) + ", closed " +
           std::to_string(gone) + ", open " + std::to_string(core_.connections());
  return {};
}

std::string Scenario::turn(TimeNs until) {
  core_.turn(until);
  if (++turns_ > turns_max) return "the core spins: " + std::to_string(turns_max) + " turns";
  return check_turn();
}

// Until the end of the world's time, or the drain.
std::string Scenario::live() {
  const TimeNs until = world_.now() + (plan_.mode.drains ? plan_.mode.drain_after : lifetime);
  while (world_.now() < until) {
    if (std::string wrong = turn(until); !wrong.empty()) return wrong;
  }
  return {};
}

// Done when everything is done, and never later than the grace says.
std::string Scenario::drain() {
  ++met_.drained;
  const TimeNs latest = world_.now() + plan_.mode.grace + 100 * ns_per_ms;
  core_.request_stop(plan_.mode.grace);
  for (SimClient& client : clients_) client.server_drains();
  while (!core_.done()) {
    if (world_.now() > latest) return "the core did not stop when its grace had passed";
    if (std::string wrong = turn(latest + 1); !wrong.empty()) return wrong;
  }
  // What is on the wire still arrives: nobody waits on it but the clients.
  for (int i = 0; i < 1000; ++i) {
    if (std::string wrong = turn(world_.now() + ns_per_ms); !wrong.empty()) return wrong;
  }
  return {};
}

std::string Scenario::check_clients() {
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    const std::string wrong = clients_[i].check_end(met_);
    if (!wrong.empty()) {
      return "client " + std::to_string(i) + ", which " + name_of(clients_[i].plan().ending) + ": " + wrong;
    }
  }
  const bool room = core_.connections() < plan_.core.connections_max;
  for (const SimClient& client : clients_) {
    if (room && !plan_.mode.drains && client.waits_to_be_accepted())
      return "a client waits to be accepted, and there is room";
  }
  const bool all_idle =
      std::all_of(clients_.begin(), clients_.end(), [](const SimClient& c) { return c.idle(); });
  if (all_idle && core_.pool().bytes_used() != 0) return "idle connections hold memory";
  return {};
}

std::string Scenario::stop() {
  if (!core_.done()) core_.request_stop(ns_per_s);
  while (!core_.done()) {
    core_.turn(world_.now() + ns_per_s);
    if (++turns_ > turns_max) return "the core does not stop";
  }
  if (!world_.clean()) return "a descriptor, an operation or a buffer was leaked";
  if (core_.pool().bytes_used() != 0) return "blocks were leaked";
  if (live_counts().never != 0) return "a request behind the end of a connection was run";
  if (live_counts().coroutines != 0) return "a coroutine was leaked";
  if (live_counts().sources != 0) return "a body source was leaked";
  const serve::CoreCounters& counters = core_.counters();
  if (closed(counters) != counters.accepted) return "a connection was closed without a reason";
  return {};
}

std::string Scenario::run() {
  const io::Descriptor listener = world_.listen();
  core_.listen(listener);
  for (const ClientPlan& client : plan_.clients) clients_.emplace_back(world_, listener, plan_, client);
  std::string wrong = live();
  if (wrong.empty() && plan_.mode.drains) wrong = drain();
  if (wrong.empty()) wrong = check_clients();
  return wrong.empty() ? stop() : wrong;
}

}  // namespace millrace::test
