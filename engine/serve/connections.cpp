// connections.cpp: the life of a connection, from accept to the close of its descriptor.
#include <string_view>
#include <utility>

#include "engine/base/assert.hpp"
#include "engine/serve/core.hpp"

namespace millrace::serve {
namespace {

constexpr std::string_view too_many_reply =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

void note_send(net::Connection& connection) noexcept {
  connection.sending = true;
  connection.unacknowledged_bytes = net::Connection::unasked;
  ++connection.operations;
}

}  // namespace

io::Token Core::token_of(io::Op op, const net::Connection& connection) const noexcept {
  return {op, connections_.generation_of(connection), connections_.number_of(connection)};
}

void Core::open(io::Descriptor descriptor, net::TransportFactory* transports) noexcept {
  h1::Protocol& http = transports == nullptr && redirecting_ ? *redirecting_ : http_;
  net::Connection* connection = stopping_ ? nullptr : connections_.make(descriptor, http);
  if (connection == nullptr) {
    counters_.connections_refused.fetch_add(1, std::memory_order_relaxed);
    return backend_.close(descriptor, false);
  }
  counters_.accepted.fetch_add(1, std::memory_order_relaxed);
  if (transports != nullptr) {
    connection->transport = transports->open(*connection, *this, pool_);
    if (connection->transport == nullptr) abort(*connection, net::CloseReason::no_memory);
  }
  connection->protocol->on_open(*connection);
  if (connections_.live_count() > options_.connections_max) {
    // It came while accepting was being paused: an answer is kinder than a reset, where one can be read.
    counters_.connections_refused.fetch_add(1, std::memory_order_relaxed);
    if (transports != nullptr) {
      abort(*connection, net::CloseReason::refused);
    } else {
      static_cast<void>(connection->output.append(pool_, too_many_reply));
      finish(*connection, net::CloseReason::refused);
    }
  }
  begin_receive(*connection);
  if (connections_.live_count() >= options_.connections_max) pause_accept();
}

void Core::begin_receive(net::Connection& connection) noexcept {
  if (connection.receiving || connection.starved || connection.hold_reading || connection.read_ended) return;
  connection.receiving = true;
  ++connection.operations;
  backend_.recv(token_of(io::Op::recv, connection), connection.descriptor);
}

void Core::begin_send(net::Connection& connection) noexcept {
  net::FileInChain* file = nullptr;
  const auto parts = connection.sends_plain() ? connection.output.gather(file)
                                              : connection.output.gather(connection.sealed_bytes);
  if (file != nullptr) [[unlikely]]
    return begin_send_file(connection, parts, *file);
  note_send(connection);
  const io::Token token = token_of(io::Op::send, connection);
  if (connection.alert) [[unlikely]]
    backend_.send_alert(token, connection.descriptor, parts);
  else
    backend_.send(token, connection.descriptor, parts);
}

// A file that is not any more what its head promised is not sent on; what stands before it is.
void Core::begin_send_file(net::Connection& connection, std::span<const iovec> parts,
                           net::FileInChain& file) noexcept {
  const bool good = file.file.unchanged();
  if (!good && parts.empty()) return abort(connection, net::CloseReason::incomplete);
  note_send(connection);
  const io::Token token = token_of(io::Op::send, connection);
  if (good)
    backend_.send_file(token, connection.descriptor, parts, file.unsent);
  else
    backend_.send(token, connection.descriptor, parts);
}

// The last step of a turn for a connection in which something happened.
void Core::flush(net::Connection& connection) noexcept {
  if (connection.closing) return;
  if (connection.aborting) [[unlikely]]
    return close(connection, connection.reason);
  if (!connection.sending) {
    if (connection.transport != nullptr && connection.sealed_bytes == 0) {
      connection.transport->seal(connection);
      if (connection.aborting) return;  // It is back in the list.
    }
    const bool ready = connection.sends_plain() ? !connection.output.empty() : connection.sealed_bytes != 0;
    if (ready) {
      begin_send(connection);
    } else if (connection.finishing && was_delivered(connection)) [[unlikely]] {
      if (connection.read_ended) return close(connection, connection.reason);
      if (!connection.lingering) begin_linger(connection);
    }
  }
  if (!connection.receiving) [[unlikely]]
    begin_receive(connection);
}

// Records that the kernel has made wait outside of the socket while that is full, and are lost where the socket is
// shut down or closed: an end comes when the peer has acknowledged all. That is seen twice, because a record may be
// on its way into the socket. Each look that sees the peer take nothing doubles the time to the next one.
bool Core::was_delivered(net::Connection& connection) noexcept {
  constexpr TimeNs first_look_ns = 10 * ns_per_ms;
  if (!connection.kernel_seals || (connection.lingering && !connection.delivering)) return true;
  if (!connection.delivering) {
    connection.lingering = connection.delivering = true;
    connection.hold_reading = false;
  } else if (now_ < connection.deadline) {
    return false;
  }
  const std::size_t left = backend_.unacknowledged_bytes(connection.descriptor);
  const std::size_t before = std::exchange(connection.unacknowledged_bytes, left);
  if (left == 0 && before == 0) {
    connection.lingering = connection.delivering = false;
    return true;
  }
  connection.looks = left < before ? 0 : (connection.looks + 1u) & 31u;  // Past every time of [timeouts].
  if (first_look_ns << connection.looks > options_.http.write_idle_ns) {
    abort(connection, net::CloseReason::timeout);
  } else {
    set_deadline(connection, now_ + (first_look_ns << connection.looks));
  }
  return false;
}

// Closing at once while the peer still sends would reset the connection, and the reset could overtake
// our last reply (RFC 9112 section 9.6): shut our direction, read and drop until the peer ends.
void Core::begin_linger(net::Connection& connection) noexcept {
  connection.lingering = true;
  connection.hold_reading = false;
  backend_.shutdown_send(connection.descriptor);
  set_deadline(connection, now_ + options_.linger_ns);
}

void Core::close(net::Connection& connection, net::CloseReason reason) noexcept {
  MR_ASSERT(!connection.closing);
  connection.closing = true;
  counters_.closed[static_cast<std::size_t>(reason)].fetch_add(1, std::memory_order_relaxed);
  connection.protocol->on_closed(connection);
  wheel_.stop(connection.timer);
  if (connection.receiving) backend_.cancel(token_of(io::Op::recv, connection));
  if (connection.sending) backend_.cancel(token_of(io::Op::send, connection));
  if (connection.watching) backend_.cancel(token_of(io::Op::hangup, connection));
  if (connection.operations == 0) destroy(connection);
}

void Core::operation_ended(net::Connection& connection) noexcept {
  MR_ASSERT(connection.operations != 0);
  if (--connection.operations == 0 && connection.closing) destroy(connection);
}

void Core::destroy(net::Connection& connection) noexcept {
  connection.output.clear(pool_);
  if (connection.transport != nullptr) connection.transport->release();
  if (connection.ListLink<net::FlushTag>::linked()) connection.ListLink<net::FlushTag>::unlink();
  const net::CloseReason reason = connection.reason;
  const bool reset = reason == net::CloseReason::no_memory || reason == net::CloseReason::timeout ||
                     reason == net::CloseReason::incomplete;
  backend_.close(connection.descriptor, reset && (!connection.lingering || connection.delivering));
  connections_.destroy(connection);
  if (accept_paused_ && connections_.live_count() < options_.connections_max) resume_accept();
}

void Core::flush_later(net::Connection& connection) noexcept {
  if (!connection.ListLink<net::FlushTag>::linked()) flush_.push_back(connection);
}

void Core::start_timer(net::Connection& connection, TimeNs deadline) noexcept {
  wheel_.stop(connection.timer);
  wheel_.start(connection.timer, deadline);
}

void Core::hold_reading(net::Connection& connection, bool hold) noexcept {
  connection.hold_reading = hold;
  if (!hold) return flush_later(connection);
  if (!connection.receiving || connection.receive_stopping) return;
  connection.receive_stopping = true;
  backend_.cancel(token_of(io::Op::recv, connection));
}

bool Core::sends_files(net::Connection& connection) noexcept {
  return connection.transport == nullptr || connection.transport->sends_files(connection);
}

bool Core::peer_takes(net::Connection& connection) noexcept {
  const std::size_t left = backend_.unacknowledged_bytes(connection.descriptor);
  return left < std::exchange(connection.unacknowledged_bytes, left);
}

void Core::watch_hangup(net::Connection& connection) noexcept {
  if (connection.watching) return;
  connection.watching = true;
  ++connection.operations;
  backend_.hangup(token_of(io::Op::hangup, connection), connection.descriptor);
}

void Core::finish(net::Connection& connection, net::CloseReason reason) noexcept {
  connection.finishing = true;
  connection.reason = reason;
  connection.hold_reading = false;
  flush_later(connection);
}

void Core::abort(net::Connection& connection, net::CloseReason reason) noexcept {
  if (connection.aborting) return;
  connection.aborting = true;
  connection.reason = reason;
  flush_later(connection);
}

}  // namespace millrace::serve
