// topics.hpp: which WebSockets of a core get what is published to a topic.
//
// Owner       one per Core; no locks, no atomics.
// Invariants  a subscription ends with its socket's coroutine at the latest, and a topic with its last one.
// When full   WebSocketOptions::subscriptions of one socket: subscribe() does nothing.
#pragma once

#include <millrace/detail/socket_end.hpp>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/proto/ws/frame.hpp"

namespace millrace::serve {

struct Topic;

/// One socket and one topic.
struct Subscription {
  Topic* topic = nullptr;
  detail::SocketEnd* end = nullptr;
  Subscription* next_of_socket = nullptr;
  std::size_t index = 0;  ///< In Topic::subscriptions.
};

struct Topic {
  std::string name;
  std::vector<Subscription*> subscriptions;  ///< In no order.
};

class Topics {
 public:
  Topics() = default;
  Topics(const Topics&) = delete;
  Topics& operator=(const Topics&) = delete;
  ~Topics();

  /// Once; again it does nothing. O(log topics + subscriptions of the socket).
  void subscribe(detail::SocketEnd& end, std::string_view name);
  void unsubscribe(detail::SocketEnd& end, std::string_view name) noexcept;
  /// The socket leaves all of its topics.
  void leave(detail::SocketEnd& end) noexcept;
  /// To every subscriber of this core.
  void deliver(std::string_view name, std::string_view message, ws::Opcode opcode) noexcept;

  std::size_t count() const noexcept { return topics_.size(); }

 private:
  void remove(detail::SocketEnd& end, Subscription** at) noexcept;

  std::map<std::string, Topic, std::less<>> topics_;
};

}  // namespace millrace::serve
