// poller.hpp: one epoll instance: registrations, edge-triggered, and the wake-up by another thread.
//
//   ask_for() -> [Poller] -> wait() -> note() of each socket
//
// Owner       one per backend; every call from its thread, wake() excepted.
// Invariants  (1) a descriptor is registered at most once, and never asked for less than before.
//             (2) an event for a number that was closed and used again is told apart by its serial.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/io/backend.hpp"
#include "engine/io/epoll/socket_state.hpp"

namespace millrace::io {

class Poller {
 public:
  static constexpr std::uint32_t input_events = EPOLLIN | EPOLLRDHUP | EPOLLPRI | EPOLLET;

  Poller() = default;
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  ~Poller();

  /// 0, or a positive errno.
  int open(Descriptor wake) noexcept;

  /// Registers the socket, or asks for more than before. The kernel looks at once, so that what happened
  /// before is told too. 0, or a positive errno.
  int ask_for(std::uint32_t events, Descriptor descriptor, SocketState& socket) noexcept;

  /// One system call: what happened, at most events_max; nothing after a signal. Valid until the next call.
  std::span<const epoll_event> wait(int timeout_ms) noexcept;

  static Descriptor descriptor_of(const epoll_event& event) noexcept {
    return static_cast<Descriptor>(event.data.u64 & 0xffff'ffff);
  }
  /// False for the registration of a closed socket of that number, which lives on while a child process
  /// holds a copy of the descriptor.
  static bool is_of(const epoll_event& event, const SocketState& socket) noexcept {
    return socket.events != 0 && socket.serial == event.data.u64 >> 32;
  }

  /// Any thread: wait() comes back with an event that is_wake(); take_wake() before the next one.
  void wake() noexcept;
  static bool is_wake(const epoll_event& event) noexcept { return event.data.u64 == wake_data; }
  void take_wake() noexcept;

 private:
  static constexpr std::size_t events_max = 512;                 // Taken from the kernel at once.
  static constexpr std::uint64_t wake_data = ~std::uint64_t{0};  // No descriptor has this number.

  int poll_fd_ = -1;
  int wake_fd_ = -1;
  bool own_wake_ = true;
  std::atomic<bool> wake_pending_{false};  ///< Saves the system call of all but the first wake().
  std::array<epoll_event, events_max> events_;
};

}  // namespace millrace::io
