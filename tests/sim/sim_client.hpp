// sim_client.hpp: a client that plays its plan, and judges every byte the moment it arrives.
//
// What it wants   each reply is the right one, whole, in the order of the requests, once, and not before
//                 its request was sent; nothing follows a reply that closes; 100 only where it was asked
//                 for. Whether something is missing is judged at the end, by check_end().
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/sim/world.hpp"
#include "tests/sim/world_plan.hpp"

namespace millrace::test {

/// How often what must be met was met.
struct Met {
  std::uint64_t replies = 0, timed_out = 0, no_memory = 0, refused = 0, drained = 0, cut_by_grace = 0;
  std::uint64_t continued = 0, closed_by_server = 0, windows = 0, pauses = 0;
};

class SimClient {
 public:
  /// The world and the plan must outlive it; it must stay where it is.
  SimClient(io::sim::World& world, io::Descriptor listener, const WorldPlan& world_plan,
            const ClientPlan& plan);
  SimClient(const SimClient&) = delete;
  SimClient& operator=(const SimClient&) = delete;

  /// From now on the server says that it stops.
  void server_drains() noexcept { draining_ = true; }
  /// Empty, or what was wrong with what came so far.
  const std::string& wrong() const noexcept { return wrong_; }
  /// At the end of the world's life. Empty, or what is wrong with what did not come.
  std::string check_end(Met& met);
  /// It has come, and the core has not taken it yet.
  bool waits_to_be_accepted() const noexcept {
    return connected_ && !client_.accepted() && !client_.was_reset();
  }
  /// Every request it ever sends was answered, and it keeps its connection: it costs no memory now.
  bool idle() const noexcept;
  const ClientPlan& plan() const noexcept { return plan_; }

 private:
  void connect(io::Descriptor listener);
  void schedule_leaving();
  void on_received();
  void judge();
  void judge_reply(const struct Reply& reply);
  bool take_refusal(std::string_view& rest);
  bool take_continue(std::string_view& rest);
  bool close_allowed(const struct Reply& reply) const noexcept;
  const Wanted* next_wanted() const noexcept;
  void give_up_waiting(std::size_t request);
  std::size_t sendable() const noexcept;
  void send_on();
  void pump();
  void stalled();
  std::string fail(const std::string& what);
  std::string check_left() const;
  std::string check_drained(bool cut, Met& met);

  io::sim::World& world_;
  const WorldPlan& world_plan_;
  const ClientPlan& plan_;
  io::sim::Random random_;
  io::sim::Client client_;
  bool connected_ = false;
  std::string bytes_;              ///< Of all requests.
  std::vector<std::size_t> ends_;  ///< Where each request ends in `bytes_`.
  std::vector<Wanted> wanted_;
  std::size_t sent_ = 0;
  bool pumping_ = false;       ///< A piece is due.
  std::size_t permitted_ = 0;  ///< Requests whose body need not wait for 100 any more.
  std::size_t continued_ = 0;  ///< The request that 100 came for, plus one.
  std::size_t judged_ = 0;     ///< Bytes of received() that were judged.
  std::size_t answered_ = 0;
  std::uint64_t tail_bytes_ = 0;  ///< Of a body that may stand behind the last reply.
  bool closed_ = false;           ///< A reply said that nothing follows.
  bool refused_ = false;          ///< The core's own answer to a connection too many.
  bool draining_ = false;
  Met met_;
  std::string wrong_;
};

}  // namespace millrace::test
