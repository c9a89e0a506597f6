#include "engine/proto/ws/protocol.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "engine/base/assert.hpp"
#include "engine/net/input.hpp"

namespace millrace::ws {

void Protocol::on_open(net::Connection&) noexcept {
  MR_UNREACHABLE("a connection becomes a WebSocket by take_over(), and begins as none");
}

void Protocol::take_over(net::Connection& connection, void* context) noexcept {
  Session& session = *new (connection.state) Session;
  connection.protocol = this;
  detail::SocketEnd& end = *static_cast<detail::SocketEnd*>(context);
  MR_ASSERT(end.protocol == this && end.connection == nullptr);
  session.end = &end;
  session.options = end.options;
  session.deflate = end.deflate;
  session.server_takeover = end.server_takeover;
  session.client_takeover = end.client_takeover;
  session.server_window_bits = end.server_window_bits;
  if (end.server_takeover) session.deflater.reset(new (std::nothrow) Deflater(pool_, end.server_window_bits));
  if (end.client_takeover) session.inflater.reset(new (std::nothrow) Inflater(pool_, end.client_window_bits));
  session.heard = carrier_.now();
  end.connection = &connection;
  end.open = true;
  ++counters_.opened;
  if (end.waiting == detail::SocketWait::open) wake(end);
  if (connection.hold_reading) carrier_.hold_reading(connection, false);
  process_input(connection);
  settle(connection);
}

void Protocol::on_bytes(net::Connection& connection, char* data, std::size_t size) noexcept {
  Session& session = session_of(connection);
  if (session.over) return;
  session.heard = carrier_.now();
  session.ping_deadline = time_never;
  session.in_bytes = true;
  net::Input& input = connection.input;
  if (input.size() == 0 && !session.ready) [[likely]] {
    Window window{data, size, 0};
    process(connection, window);
    if (!session.over && window.left() != 0 &&
        !net::append_input(input, pool_, data + window.at, window.left())) {
      abort(connection, net::CloseReason::no_memory);
    }
  } else if (net::append_input(input, pool_, data, size)) {
    process_input(connection);
  } else {
    abort(connection, net::CloseReason::no_memory);
  }
  session.in_bytes = false;
  settle(connection);
}

void Protocol::on_end(net::Connection& connection) noexcept { settle(connection); }

void Protocol::on_sent(net::Connection& connection) noexcept {
  Session& session = session_of(connection);
  const bool room = !is_full(connection);
  session.write_deadline = connection.output.empty() ? time_never : next_write_check(session);
  if (room && session.end != nullptr && session.end->waiting == detail::SocketWait::room) wake(*session.end);
  if (room) process_input(connection);
  settle(connection);
}

void Protocol::on_deadline(net::Connection& connection) noexcept {
  Session& session = session_of(connection);
  const TimeNs now = carrier_.now();
  if (connection.hold_reading) {  // Who is not read cannot be heard.
    session.heard = now;
    session.ping_deadline = time_never;
  }
  if (now >= session.write_deadline && carrier_.peer_takes(connection))
    session.write_deadline = next_write_check(session);
  if (now >= session.write_deadline || now >= session.ping_deadline || now >= session.close_deadline) {
    ++counters_.timeouts;
    return abort(connection, net::CloseReason::timeout);
  }
  const bool silent = now >= session.heard + session.options->ping_ms * ns_per_ms;
  if (silent && !session.close_sent && session.ping_deadline == time_never) {
    session.ping_deadline = now + session.options->pong_ms * ns_per_ms;
    write_frame(connection, Opcode::ping, {}, false);
  }
  settle(connection);
}

void Protocol::on_drain(net::Connection& connection) noexcept {
  end_session(connection, CloseCode::going_away, {});
  settle(connection);
}

// Each of connection and coroutine may end first.
void Protocol::on_closed(net::Connection& connection) noexcept {
  Session& session = session_of(connection);
  lose(connection);
  if (session.end != nullptr) {
    session.end->connection = nullptr;
    tasks_.cancel(*session.end->scope);
  }
  session.message.clear(pool_);
  net::consume_input(connection.input, pool_, connection.input.size());
  session.~Session();
}

// The one place where what a connection waits for next is decided; every event ends here.
void Protocol::settle(net::Connection& connection) noexcept {
  Session& session = session_of(connection);
  if (session.in_bytes || connection.aborting) return;
  if (connection.read_ended && !session.over) [[unlikely]]
    end_of_stream(connection);
  if (session.over && connection.input.block) {
    net::consume_input(connection.input, pool_, connection.input.size());
  }
  if (!connection.output.empty()) {
    if (session.write_deadline == time_never) session.write_deadline = next_write_check(session);
    carrier_.flush_later(connection);
  }
  if (session.over) {
    if (!connection.finishing) carrier_.finish(connection, net::CloseReason::finished);
    carrier_.set_deadline(connection, connection.output.empty() ? time_never : session.write_deadline);
    return;
  }
  const bool full = is_full(connection);
  const bool ahead = session.ready && connection.input.size() >= input_bytes_max;
  const bool hold = full || ahead;
  if (hold != connection.hold_reading) carrier_.hold_reading(connection, hold);
  if (hold) carrier_.watch_hangup(connection);  // Nothing else would tell that the peer has reset.
  set_deadlines(connection);
}

// No close frame (section 7.1.5); but the handler gets the messages that came before.
void Protocol::end_of_stream(net::Connection& connection) noexcept {
  Session& session = session_of(connection);
  process_input(connection);
  if (session.ready || session.over || is_full(connection)) return;
  lose(connection);
  session.over = true;
}

void Protocol::set_deadlines(net::Connection& connection) noexcept {
  const Session& session = session_of(connection);
  const TimeNs silence = session.close_sent || session.ping_deadline != time_never
                             ? time_never
                             : session.heard + session.options->ping_ms * ns_per_ms;
  carrier_.set_deadline(
      connection, std::min({silence, session.ping_deadline, session.close_deadline, session.write_deadline}));
}

// A close frame from this side. The coroutine learns that nothing follows; the peer has a while to answer.
void Protocol::end_session(net::Connection& connection, CloseCode code, std::string_view reason) noexcept {
  Session& session = session_of(connection);
  if (session.close_sent || session.over) return;
  write_close(connection, static_cast<unsigned>(code), reason);
  session.close_deadline = carrier_.now() + session.options->close_ms * ns_per_ms;
  session.ping_deadline = time_never;
  if (session.end == nullptr) return;
  session.end->close_code = static_cast<std::uint16_t>(code);
  session.end->open = false;
  if (session.end->waiting != detail::SocketWait::nothing) wake(*session.end);
}

// Nothing more comes from the peer, and it said no word of it.
void Protocol::lose(net::Connection& connection) noexcept {
  Session& session = session_of(connection);
  if (session.end == nullptr) return;
  detail::SocketEnd& end = *session.end;
  if (end.close_code == 0) end.close_code = static_cast<std::uint16_t>(CloseCode::abnormal);
  end.open = false;
  if (end.waiting != detail::SocketWait::nothing) wake(end);
}

void Protocol::abort(net::Connection& connection, net::CloseReason reason) noexcept {
  session_of(connection).over = true;
  carrier_.abort(connection, reason);
}

void Protocol::wake(detail::SocketEnd& end) noexcept {
  MR_ASSERT(end.scope->waiter != nullptr);
  end.waiting = detail::SocketWait::nothing;
  tasks_.wake(*end.scope->waiter);
}

}  // namespace millrace::ws
