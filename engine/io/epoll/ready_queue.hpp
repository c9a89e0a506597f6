// ready_queue.hpp: the sockets that have something to tell or to do, first come first served.
//
// Owner       one per backend. Linked by descriptor through the sockets' own state: nothing is allocated.
// Invariant   a socket is in it at most once, and only while one of its operations is under way.
#pragma once

#include <cstdint>

#include "engine/base/assert.hpp"
#include "engine/io/epoll/number_table.hpp"
#include "engine/io/epoll/socket_state.hpp"

namespace millrace::io {

class ReadyQueue {
 public:
  explicit ReadyQueue(NumberTable<SocketState>& sockets) noexcept : sockets_(sockets) {}

  std::uint32_t size() const noexcept { return size_; }
  Descriptor front() const noexcept {
    MR_ASSERT(size_ != 0);
    return front_;
  }

  void push(Descriptor descriptor, SocketState& socket) noexcept {
    if (socket.queued) return;
    socket.queued = true;
    socket.next = no_descriptor;
    if (size_++ == 0) {
      front_ = descriptor;
    } else {
      sockets_.find(static_cast<std::uint32_t>(back_))->next = descriptor;
    }
    back_ = descriptor;
  }

  /// `socket` is the state of front().
  void pop(SocketState& socket) noexcept {
    MR_ASSERT(socket.queued);
    front_ = socket.next;
    socket.queued = false;
    --size_;
  }

 private:
  NumberTable<SocketState>& sockets_;
  Descriptor front_ = no_descriptor;
  Descriptor back_ = no_descriptor;
  std::uint32_t size_ = 0;
};

}  // namespace millrace::io
