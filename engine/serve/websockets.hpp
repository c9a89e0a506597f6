// websockets.hpp: everything of WebSockets that belongs to one core.
#pragma once

#include <string_view>
#include <vector>

#include "engine/proto/ws/protocol.hpp"
#include "engine/serve/hub.hpp"
#include "engine/serve/topics.hpp"

namespace millrace::serve {

class WebSockets {
 public:
  WebSockets(net::Carrier& carrier, mem::BlockPool& pool, proto::Tasks& tasks) noexcept
      : protocol(carrier, pool, tasks) {}
  ~WebSockets() { leave_hub(); }

  /// What is published goes to the other cores of the hub too, and what they publish comes here.
  void join_hub(Hub& hub, std::size_t core, io::IoBackend& backend) noexcept {
    hub_ = &hub;
    core_ = core;
    hub.mailbox(core).attach(&backend);
  }
  void leave_hub() noexcept {
    if (hub_ != nullptr) hub_->mailbox(core_).attach(nullptr);
    hub_ = nullptr;
  }
  /// False where another core had no room for it.
  bool publish(std::string_view topic, std::string_view message, ws::Opcode opcode) {
    topics.deliver(topic, message, opcode);
    return hub_ == nullptr || hub_->post(core_, topic, message, opcode);
  }
  /// What other cores have published: in the turn after the core was woken.
  void deliver_posted() noexcept {
    if (hub_ == nullptr) return;
    hub_->mailbox(core_).take(posted_);
    for (const Publication& one : posted_) topics.deliver(one.topic, one.message, one.opcode);
    posted_.clear();
  }

  ws::Protocol protocol;
  Topics topics;

 private:
  Hub* hub_ = nullptr;
  std::size_t core_ = 0;
  std::vector<Publication> posted_;
};

}  // namespace millrace::serve
