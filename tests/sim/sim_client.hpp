// sim_client.hpp: a client that plays its plan, and judges every byte the moment it arrives.
//
// What it wants   each reply is the right one, whole, in the order of the requests, once, and not before
//                 its request was sent; nothing follows a reply that closes; 100 only where it was asked
//                 for. Whether something is missing is judged at the end, by check_end().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/sim/world.hpp"
#include "tests/sim/sim_link.hpp"
#include "tests/sim/sim_socket.hpp"
#include "tests/sim/world_plan.hpp"

namespace millrace::test {

/// How often what must be met was met.
struct Met {
  std::uint64_t replies = 0, timed_out = 0, no_memory = 0, refused = 0, drained = 0, cut_by_grace = 0;
  std::uint64_t continued = 0, closed_by_server = 0, windows = 0, pauses = 0;
  std::uint64_t sockets = 0, socket_messages = 0, room_messages = 0, pongs_sent = 0, sockets_told = 0;
  std::uint64_t handshakes = 0, until_close = 0, tls_failures = 0, kernel_seals = 0;
  std::uint64_t forms = 0, coded = 0;
};

class SimClient {
 public:
  /// The world and the plan must outlive it; it must stay where it is.
  /// tls: where its plan wants it.
  SimClient(io::sim::World& world, io::Descriptor listener, const WorldPlan& world_plan,
            const ClientPlan& plan, SimTls* tls);
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
    return client_.connected() && !client_.accepted() && !client_.was_reset();
  }
  /// Every request it ever sends was answered, and it keeps its connection: it costs no memory now.
  bool idle() const noexcept;
  const ClientPlan& plan() const noexcept { return plan_; }
  /// It was in the room from its handshake on, to the end, and must have heard everything. `published`: of
  /// every core, nothing was dropped.
  std::string check_room() const;

 private:
  void connect(io::Descriptor listener, SimTls* tls);
  void schedule_leaving();
  void on_received();
  void judge();
  void judge_reply(const struct Reply& reply);
  std::string body_fault(const struct Reply& reply, const Wanted& wanted);
  void judge_tail(std::string_view& rest);
  void judge_frames(std::string_view& rest);
  void begin_tail(const struct Reply& reply);
  void answer_socket();
  std::string check_socket(bool closed) const;
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
  io::sim::Random cuts_;  ///< Of records.
  SimLink client_;
  std::string bytes_;              ///< Of all requests.
  std::vector<std::size_t> ends_;  ///< Where each request ends in `bytes_`.
  std::vector<Wanted> wanted_;
  std::size_t sent_ = 0;
  bool pumping_ = false;       ///< A piece is due.
  std::size_t permitted_ = 0;  ///< Requests whose body need not wait for 100 any more.
  std::size_t continued_ = 0;  ///< The request that 100 came for, plus one.
  std::size_t judged_ = 0;     ///< Bytes of received() that were judged.
  std::size_t answered_ = 0;
  std::uint64_t tail_bytes_ = 0;       ///< Of a body that may stand behind the last reply.
  bool closed_ = false;                ///< A reply said that nothing follows.
  bool refused_ = false;               ///< The core's own answer to a connection too many.
  std::optional<SocketJudge> socket_;  ///< The connection is a WebSocket.
  bool socket_refused_ = false;        ///< It asked for one, and what is behind counts for nothing.
  bool close_answered_ = false;
  bool in_tail_ = false;  ///< In a body that ends with the connection.
  std::string tail_;
  bool draining_ = false;
  Met met_;
  std::string wrong_;
};

}  // namespace millrace::test
