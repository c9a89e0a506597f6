// protocol.hpp: the seam between a connection and what it speaks. One Protocol a core and kind; the
// state of a connection is in Connection::state. Called at most once per connection and event, never
// per request.
#pragma once

#include <cstddef>

#include "engine/net/connection.hpp"

namespace millrace::net {

class Protocol {
 public:
  virtual void on_open(Connection& connection) noexcept = 0;

  /// New bytes at `data`, or none (size 0) when the connection may go on after hold_reading. The
  /// bytes may be changed in place and are gone after the call: what is not consumed is kept in
  /// Connection::input by the protocol.
  virtual void on_bytes(Connection& connection, char* data, std::size_t size) noexcept = 0;

  /// The peer ended its direction; no bytes follow.
  virtual void on_end(Connection& connection) noexcept = 0;

  /// A send completed: there is room in the output, perhaps it is empty.
  virtual void on_sent(Connection& connection) noexcept = 0;

  /// Connection::deadline has passed.
  virtual void on_deadline(Connection& connection) noexcept = 0;

  /// The server drains: finish what is under way, take no more.
  virtual void on_drain(Connection& connection) noexcept = 0;

  /// The connection is gone (reset, closed, timed out): cancel and drop everything but the output.
  virtual void on_closed(Connection& connection) noexcept = 0;

 protected:
  ~Protocol() = default;
};

/// What a protocol asks of the core.
class Carrier {
 public:
  /// The output has bytes: send them in this turn's flush.
  virtual void flush_later(Connection& connection) noexcept = 0;
  /// Sets the deadline (time_never: none); two stores when it only moves on.
  void set_deadline(Connection& connection, TimeNs deadline) noexcept {
    connection.deadline = deadline;
    if (deadline == time_never) return;
    if (!connection.timer.started() || connection.timer.deadline > deadline) [[unlikely]]
      start_timer(connection, deadline);
  }
  /// Stops or resumes receiving.
  virtual void hold_reading(Connection& connection, bool hold) noexcept = 0;
  /// Of a send that does not complete: whether the peer took any of it since this was last asked, as a slow one
  /// does while the kernel still waits for more room. Also true the first time. A system call.
  virtual bool peer_takes(Connection& connection) noexcept = 0;
  /// Asks for Protocol::on_closed() once the peer is gone for good.
  virtual void watch_hangup(Connection& connection) noexcept = 0;
  /// Closes once the output is sent; what the peer still sends is dropped meanwhile. Like abort(), it
  /// only notes the wish: on_closed() comes at the end of the turn.
  virtual void finish(Connection& connection, CloseReason reason) noexcept = 0;
  /// Closes at the end of this turn, unsent output is dropped.
  virtual void abort(Connection& connection, CloseReason reason) noexcept = 0;
  /// Whether files in the output go to the socket as they are: Chain::append_file() is allowed.
  virtual bool sends_files(Connection& connection) noexcept = 0;
  /// The backend's. Null: there is none.
  virtual io::KernelTls* kernel_tls() noexcept { return nullptr; }
  /// The time of this turn.
  TimeNs now() const noexcept { return now_; }

 protected:
  explicit Carrier(TimeNs now) noexcept : now_(now) {}
  ~Carrier() = default;

  TimeNs now_;

 private:
  /// Starts the connection's timer, or starts it anew where it would fire too late.
  virtual void start_timer(Connection& connection, TimeNs deadline) noexcept = 0;
};

}  // namespace millrace::net
