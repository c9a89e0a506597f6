// socket_state.hpp: what the epoll backend knows of a descriptor: its operations, and how ready it is.
#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <span>

#include "engine/base/assert.hpp"
#include "engine/io/backend.hpp"

namespace millrace::io {

/// idle -> start -> waiting -> (the result is known) ended -> (the completion was told) idle
enum class Phase : std::uint8_t { idle, waiting, ended };

struct Operation {
  Token token;
  std::int32_t result = 0;  ///< Of an ended one.
  Phase phase = Phase::idle;

  bool waits() const noexcept { return phase == Phase::waiting; }
  void end(std::int32_t with) noexcept {
    result = with;
    phase = Phase::ended;
  }
};

/// Readiness is edge-triggered: the kernel tells it once, and it stays true here until a call was told
/// otherwise (EAGAIN, or fewer bytes than there was room for).
struct SocketState {
  static constexpr std::uint32_t no_slot = ~0u;

  Operation input;                  ///< recv, or a listener's accept.
  Operation output;                 ///< send
  Operation watch;                  ///< hangup
  std::span<const iovec> parts;     ///< Of the send that waits.
  FileSlice* file = nullptr;        ///< Behind the parts; null: none.
  Descriptor next = no_descriptor;  ///< In the queue of sockets to look at.
  std::uint32_t serial = 0;         ///< Of the registration; rises when the number is closed.
  std::uint32_t slot = no_slot;     ///< Whose tokens lead to this descriptor.
  std::uint32_t events = 0;         ///< What epoll was asked for; 0: not registered.
  bool alert = false;               ///< The parts are an alert of TLS.
  bool queued = false;
  bool readable = false;
  bool blocked = false;  ///< The send buffer is full: EPOLLOUT will come.
  bool hung_up = false;  ///< A reset, or both directions are closed.
  bool trailing =
      false;  ///< An end, an error or urgent data is behind the bytes: a short read tells nothing.

  Operation& operation(Op op) noexcept {
    switch (op) {
      case Op::accept:
      case Op::recv: return input;
      case Op::send: return output;
      case Op::hangup: return watch;
      case Op::none:
      case Op::wake: break;
    }
    MR_UNREACHABLE("an operation that no descriptor has");
  }

  bool can_go_on() const noexcept {
    return input.phase == Phase::ended || output.phase == Phase::ended || watch.phase == Phase::ended ||
           (input.waits() && readable) || (output.waits() && !blocked) || (watch.waits() && hung_up);
  }

  void note(std::uint32_t happened) noexcept {
    constexpr std::uint32_t over = EPOLLERR | EPOLLHUP;
    constexpr std::uint32_t behind = EPOLLRDHUP | EPOLLPRI | over;
    readable |= (happened & (EPOLLIN | behind)) != 0;
    trailing |= (happened & behind) != 0;
    hung_up |= (happened & over) != 0;
    if ((happened & (EPOLLOUT | over)) != 0) blocked = false;
  }

  /// The number may be used again. No operation is under way.
  void close() noexcept {
    MR_ASSERT(input.phase == Phase::idle);
    MR_ASSERT(output.phase == Phase::idle);
    MR_ASSERT(watch.phase == Phase::idle);
    MR_ASSERT(!queued);  // Who is queued has an operation to go on with.
    const std::uint32_t next_serial = serial + 1;
    *this = {};
    serial = next_serial;
  }
};

}  // namespace millrace::io
