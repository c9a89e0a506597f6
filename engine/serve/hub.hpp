// hub.hpp: messages of topics on their way from core to core: the one thing that cores share.
//
//   publish() -> Hub::post() -> Mailbox of each other core -> IoBackend::wake() -> Core::turn() -> Topics
//
// Owner       a Server; made before its cores, gone after them. Any thread.
// When full   a mailbox has room for messages_max and bytes_max: past either the message is refused there, counted,
//             and the publisher is told.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/backend.hpp"
#include "engine/proto/ws/frame.hpp"

namespace millrace::serve {

/// The copy of one core.
struct Publication {
  std::string topic;
  std::string message;
  ws::Opcode opcode;
};

/// Of one core: many put, one takes, once a turn in which it was woken. The lock is held for a few stores.
class Mailbox {
 public:
  static constexpr std::size_t messages_max = 4096;
  static constexpr std::size_t bytes_max = 16 << 20;

  /// Who is woken; null: messages are not wanted (yet, or any more), and are dropped.
  void attach(io::IoBackend* backend) noexcept;
  /// False where it is full.
  bool put(std::string_view topic, std::string_view message, ws::Opcode opcode);
  /// Everything, in order. `out` is empty before.
  void take(std::vector<Publication>& out) noexcept;

 private:
  std::mutex mutex_;
  io::IoBackend* backend_ = nullptr;
  std::vector<Publication> waiting_;
  std::size_t bytes_ = 0;
};

class Hub {
 public:
  static constexpr std::size_t no_core = ~std::size_t{0};

  explicit Hub(std::size_t cores);
  Mailbox& mailbox(std::size_t core) noexcept { return *mailboxes_[core]; }
  /// To every core but `from`. False where one of them had no room.
  bool post(std::size_t from, std::string_view topic, std::string_view message, ws::Opcode opcode);

 private:
  std::vector<std::unique_ptr<Mailbox>> mailboxes_;
};

}  // namespace millrace::serve
