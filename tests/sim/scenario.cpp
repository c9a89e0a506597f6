#include "tests/sim/scenario.hpp"

#include <algorithm>

#include "engine/ext/files/source.hpp"
#include "tests/sim/sim_app.hpp"

namespace millrace::test {
namespace {

constexpr TimeNs lifetime = 20 * ns_per_s;
constexpr TimeNs busy_until = ns_per_s + 300 * ns_per_ms;  ///< A world begins at one second.
constexpr TimeNs busy_slice = ns_per_ms;
constexpr TimeNs idle_slice = 100 * ns_per_ms;
constexpr std::uint64_t sealed_bytes_max = 32 * 1024;  ///< What TLS adds to a connection: its own flights.
constexpr std::size_t turns_max = 200'000;             ///< In a whole life; some hundreds are usual.

std::uint64_t closed(const serve::CoreCounters& counters) noexcept {
  std::uint64_t sum = 0;
  for (const auto& count : counters.closed) sum += count;
  return sum;
}

}  // namespace

Scenario::Node::Node(const WorldPlan& plan, std::size_t number, SimTls* tls)
    : world(io::sim::mix(plan.seed + number), plan.faults, plan.rings),
      transports(tls != nullptr ? tls->make_factory() : nullptr),
      core(plan.core, world.backend(), sim_app()),
      plain(world.listen()) {
  if (transports) secure = world.listen();
  if (plan.mode.kernel_seals && tls != nullptr) world.backend().set_sealers(tls->sealers());
}

Scenario::Scenario(const WorldPlan& plan)
    : plan_(plan), tls_(plan.mode.secure ? SimTls::make(plan.seed) : nullptr), hub_(plan.mode.cores) {
  live_counts() = {};
  for (const ClientPlan& client : plan.clients)
    sockets_wanted_ += !client.requests.empty() && client.requests.back().wanted.switches;
  for (std::size_t i = 0; i < plan.mode.cores; ++i) {
    Node& node = nodes_.emplace_back(plan, i, tls_.get());
    if (plan.mode.cores > 1) node.core.join_hub(hub_, i);
  }
}

// What the limits promise of a core's blocks: each connection has its unsent output and one reply that went
// over it, its unread input, and for each request in flight a copy of it and its reply. Blocks are powers
// of two, hence twice.
std::uint64_t Scenario::memory_bound(const Node& node) const noexcept {
  const h1::Options& http = plan_.core.http;
  const std::uint64_t request =
      http.body_bytes_max + http.head.bytes_max + http.head.fields_max * sizeof(http::Field);
  const std::uint64_t reply = sim_reply_bytes_max + 1024;
  std::uint64_t one = http.output_bytes_max + reply + 2 * (request + plan_.rings.buffer_bytes) +
                      http.pipeline_max * (request + reply);
  one += 2 * sim_message_bytes_max + sim_socket_output_max;
  if (plan_.mode.secure) one += sealed_bytes_max;
  // Of clients that have gone, until they end; the application does not count a socket that has yet to open.
  const std::uint64_t coroutines = live_counts().coroutines + sockets_wanted_;
  const std::uint64_t left = coroutines * (request + reply);
  return std::min<std::uint64_t>(plan_.core.memory_bytes_max, 2 * (one * node.core.connections() + left));
}

std::string Scenario::check_turn(const Node& node) {
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    if (!clients_[i].wrong().empty()) return "client " + std::to_string(i) + ": " + clients_[i].wrong();
  }
  if (node.core.pool().bytes_used() > memory_bound(node)) {
    return "memory is not bounded: " + std::to_string(node.core.pool().bytes_used()) + " bytes for " +
           std::to_string(node.core.connections()) + " connections";
  }
  // Closed ones live on until their last operation has completed.
  const serve::CoreCounters& counters = node.core.counters();
  const std::uint64_t gone = closed(counters);
  if (gone > counters.accepted || counters.accepted - gone > node.core.connections())
    return "connections do not add up: accepted " + std::to_string(counters.accepted) + ", closed " +
           std::to_string(gone) + ", open " + std::to_string(node.core.connections());
  return {};
}

Scenario::Node& Scenario::behind() noexcept {
  return *std::min_element(nodes_.begin(), nodes_.end(),
                           [](Node& a, Node& b) { return a.world.now() < b.world.now(); });
}

// One core runs on by itself; several take turns: short ones while their clients are busy.
std::string Scenario::turn(TimeNs until) {
  Node& node = behind();
  const TimeNs now = node.world.now();
  const TimeNs slice = now < busy_until ? busy_slice : idle_slice;
  node.core.turn(nodes_.size() == 1 ? until : std::min(until, now + slice));
  if (++turns_ > turns_max) return "the core spins: " + std::to_string(turns_max) + " turns";
  return check_turn(node);
}

// Until the end of the world's time, or the drain.
std::string Scenario::live() {
  const TimeNs until = behind().world.now() + (plan_.mode.drains ? plan_.mode.drain_after : lifetime);
  while (behind().world.now() < until) {
    if (std::string wrong = turn(until); !wrong.empty()) return wrong;
  }
  return {};
}

bool Scenario::done() const noexcept {
  return std::all_of(nodes_.begin(), nodes_.end(), [](const Node& node) { return node.core.done(); });
}

// Done when everything is done, and never later than the grace says.
std::string Scenario::drain() {
  ++met_.drained;
  const TimeNs latest = behind().world.now() + plan_.mode.grace + 100 * ns_per_ms;
  for (Node& node : nodes_) node.core.request_stop(plan_.mode.grace);
  for (SimClient& client : clients_) client.server_drains();
  while (!done()) {
    if (behind().world.now() > latest) return "the core did not stop when its grace had passed";
    if (std::string wrong = turn(latest + 1); !wrong.empty()) return wrong;
  }
  // What is on the wire still arrives: nobody waits on it but the clients.
  for (Node& node : nodes_) {
    for (int i = 0; i < 1000; ++i) {
      node.core.turn(node.world.now() + ns_per_ms);
      if (std::string wrong = check_turn(node); !wrong.empty()) return wrong;
    }
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
  std::uint64_t dropped = live_counts().unheard;
  for (const Node& node : nodes_) {
    dropped += node.core.counters().published_dropped;
    const bool room = node.core.connections() < plan_.core.connections_max;
    for (const SimClient& client : clients_) {
      if (room && !plan_.mode.drains && &node_of(client.plan()) == &node && client.waits_to_be_accepted())
        return "a client waits to be accepted, and there is room";
    }
  }
  if (dropped == 0 && !plan_.mode.tight_memory && !plan_.mode.drains) {
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      const std::string wrong = clients_[i].check_room();
      if (!wrong.empty()) return "client " + std::to_string(i) + ", which is in the room: " + wrong;
    }
  }
  const bool all_idle =
      std::all_of(clients_.begin(), clients_.end(), [](const SimClient& c) { return c.idle(); });
  for (const Node& node : nodes_) {
    if (all_idle && node.core.pool().bytes_used() != 0) return "idle connections hold memory";
  }
  return {};
}

std::string Scenario::stop() {
  if (!done()) {
    for (Node& node : nodes_) node.core.request_stop(ns_per_s);
  }
  for (Node& node : nodes_) {
    while (!node.core.done()) {
      node.core.turn(node.world.now() + ns_per_s);
      if (++turns_ > turns_max) return "the core does not stop";
    }
    if (std::string wrong = check_left(node); !wrong.empty()) return wrong;
  }
  if (live_counts().never != 0) return "a request behind the end of a connection was run";
  if (live_counts().coroutines != 0) return "a coroutine was leaked";
  if (live_counts().sources != 0 || files::sources_live() != 0) return "a body source was leaked";
  return {};
}

std::string Scenario::check_left(Node& node) {
  if (!node.world.clean()) return "a descriptor, an operation or a buffer was leaked";
  if (node.core.pool().bytes_used() != 0) return "blocks were leaked";
  const serve::CoreCounters& counters = node.core.counters();
  if (closed(counters) != counters.accepted) return "a connection was closed without a reason";
  if (!node.transports) return {};
  met_.tls_failures += node.transports->counters().failures;
  met_.kernel_seals += node.transports->counters().kernel;
  return {};
}

io::sim::FaultCounts Scenario::faults() noexcept {
  io::sim::FaultCounts sum;
  for (Node& node : nodes_) add_counts(sum, node.world.faults());
  return sum;
}

std::string Scenario::run() {
  for (Node& node : nodes_) {
    node.core.listen(node.plain);
    if (node.transports) node.core.listen(node.secure, node.transports.get());
  }
  for (const ClientPlan& client : plan_.clients) {
    Node& node = node_of(client);
    const bool secure = client.secure && node.transports != nullptr;
    clients_.emplace_back(node.world, secure ? node.secure : node.plain, plan_, client, tls_.get());
  }
  std::string wrong = live();
  if (wrong.empty() && plan_.mode.drains) wrong = drain();
  if (wrong.empty()) wrong = check_clients();
  return wrong.empty() ? stop() : wrong;
}

}  // namespace millrace::test
