#include "engine/serve/topics.hpp"

#include <millrace/websocket.hpp>

#include "engine/base/assert.hpp"
#include "engine/proto/ws/protocol.hpp"

namespace millrace::serve {

Topics::~Topics() { MR_ASSERT(topics_.empty()); }

void Topics::subscribe(detail::SocketEnd& end, std::string_view name) {
  for (const Subscription* at = end.subscriptions; at != nullptr; at = at->next_of_socket) {
    if (at->topic->name == name) return;
  }
  if (end.subscription_count >= end.options->subscriptions) return;
  auto found = topics_.find(name);
  if (found == topics_.end()) {
    found = topics_.try_emplace(std::string(name)).first;
    found->second.name = name;
  }
  auto* subscription = new Subscription;
  subscription->topic = &found->second;
  subscription->end = &end;
  subscription->next_of_socket = end.subscriptions;
  end.subscriptions = subscription;
  ++end.subscription_count;
  subscription->index = found->second.subscriptions.size();
  found->second.subscriptions.push_back(subscription);
}

void Topics::unsubscribe(detail::SocketEnd& end, std::string_view name) noexcept {
  for (Subscription** at = &end.subscriptions; *at != nullptr; at = &(*at)->next_of_socket) {
    if ((*at)->topic->name == name) return remove(end, at);
  }
}

void Topics::leave(detail::SocketEnd& end) noexcept {
  while (end.subscriptions != nullptr) remove(end, &end.subscriptions);
}

void Topics::deliver(std::string_view name, std::string_view message, ws::Opcode opcode) noexcept {
  const auto found = topics_.find(name);
  if (found == topics_.end()) return;
  ws::Published published{message, opcode};
  // Nothing runs within: a subscriber that is closed for it leaves in its own coroutine.
  for (const Subscription* subscription : found->second.subscriptions) {
    subscription->end->protocol->publish(*subscription->end, published);
  }
  found->second.subscriptions.front()->end->protocol->end_publish(published);
}

void Topics::remove(detail::SocketEnd& end, Subscription** at) noexcept {
  Subscription* subscription = *at;
  *at = subscription->next_of_socket;
  --end.subscription_count;
  Topic& topic = *subscription->topic;
  Subscription*& place = topic.subscriptions[subscription->index];
  place = topic.subscriptions.back();
  place->index = subscription->index;
  topic.subscriptions.pop_back();
  delete subscription;
  if (topic.subscriptions.empty()) topics_.erase(topics_.find(topic.name));
}

}  // namespace millrace::serve
