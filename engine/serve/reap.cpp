// reap.cpp: completions become events of their connections. Nothing is parsed and no handler runs here.
#include <cerrno>

#include "engine/base/assert.hpp"
#include "engine/serve/core.hpp"

namespace millrace::serve {

void Core::reap(std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    const io::Completion& done = completions_[i];
    if (done.has_buffer) returned_[returned_count_++] = done.buffer_id;
    switch (done.token.op()) {
      case io::Op::accept: on_accept(done); break;
      case io::Op::recv: on_recv(done); break;
      case io::Op::send: on_send(done); break;
      case io::Op::hangup: on_hangup(done); break;
      case io::Op::wake: woken_ = true; break;
      case io::Op::none: break;
    }
  }
}

net::Connection* Core::find(io::Token token) noexcept {
  net::Connection* connection = connections_.find(token.slot(), token.generation());
  if (connection == nullptr) [[unlikely]]
    counters_.stale_completions.fetch_add(1, std::memory_order_relaxed);
  return connection;
}

void Core::on_recv(const io::Completion& done) noexcept {
  net::Connection* found = find(done.token);
  if (found == nullptr) [[unlikely]]
    return;
  net::Connection& connection = *found;
  if (done.result > 0 && !connection.closing) [[likely]] {
    MR_ASSERT(done.has_buffer);
    bytes_received_ += static_cast<std::size_t>(done.result);
    events_[event_count_++] = {found, static_cast<std::uint32_t>(done.result), done.buffer_id,
                               EventKind::bytes};
  }
  if (done.more) [[likely]]
    return;
  connection.receiving = connection.receive_stopping = false;
  if (!connection.closing) {
    if (done.result == 0) {
      // Noted as an event: bytes that came before it may still wait for their turn.
      events_[event_count_++] = {found, 0, 0, EventKind::end};
    } else if (done.result == -ENOBUFS) {
      counters_.starvations.fetch_add(1, std::memory_order_relaxed);
      connection.starved = true;
      starved_[starved_count_++] = done.token.slot();
    } else if (done.result > 0 || done.result == -ECANCELED || done.result == -EINTR) {
      flush_later(connection);  // Armed again there, unless the protocol holds.
    } else {
      abort(connection, net::CloseReason::reset);
    }
  }
  operation_ended(connection);
}

void Core::on_send(const io::Completion& done) noexcept {
  net::Connection* found = find(done.token);
  if (found == nullptr) [[unlikely]]
    return;
  net::Connection& connection = *found;
  MR_ASSERT(connection.sending);
  connection.sending = false;
  if (done.result > 0) [[likely]] {
    connection.output.consume(pool_, static_cast<std::size_t>(done.result));
    bytes_sent_ += static_cast<std::size_t>(done.result);
    if (!connection.sends_plain()) connection.sealed_bytes -= static_cast<std::size_t>(done.result);
    if (!connection.closing) {
      // A transport may have bytes of its own that wait for this send.
      const bool more = !connection.output.empty() || connection.transport != nullptr;
      if (more || connection.finishing) flush_later(connection);
      events_[event_count_++] = {found, 0, 0, EventKind::sent};
    }
  } else if (done.result == -EAGAIN && !connection.closing) {
    flush_later(connection);  // A file, which can be sent on now.
  } else if (done.result == -ENODATA && !connection.closing) {
    abort(connection, net::CloseReason::incomplete);  // A file that ended before its length.
  } else if (!connection.closing) {
    // -EPIPE, -ECONNRESET...: the peer is gone. -ECANCELED and -EINTR happen only to a closing one.
    abort(connection, net::CloseReason::reset);
  }
  operation_ended(connection);
}

void Core::on_hangup(const io::Completion& done) noexcept {
  net::Connection* found = find(done.token);
  if (found == nullptr) return;
  found->watching = false;
  if (!found->closing) {
    if (done.result >= 0) {
      // While it lingers both ends may have said goodbye with bytes still unread; closing then would reset.
      // The receive that is under way comes to the end, or to the error.
      if (!found->lingering) abort(*found, net::CloseReason::reset);
    } else if (done.result != -ECANCELED) {
      watch_hangup(*found);  // The kernel stopped watching, as it does when its queue is full.
    }
  }
  operation_ended(*found);
}

}  // namespace millrace::serve
