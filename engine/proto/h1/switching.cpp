// switching.cpp: a request that asks for another protocol, and the connection's way to it. Source: RFC 9110
// section 7.8.
//
//   dispatch -> await_switch -> start() -> switch_protocols -> advance -> hand_over -> Successor
//                                       -> reply() -> stay
#include "engine/base/assert.hpp"
#include "engine/proto/h1/protocol.hpp"

namespace millrace::h1 {

// Whether what comes behind it is the next request or the other protocol is known with its reply.
void Protocol::await_switch(net::Connection& connection, H1Exchange& x) noexcept {
  Session& session = session_of(connection);
  if (session.phase == Phase::stopped) return;  // The connection ends with this request.
  x.switches = true;
  session.phase = Phase::switching;
  session.read_deadline = time_never;
}

bool Protocol::switch_protocols(proto::Exchange& exchange, std::string_view fields,
                                proto::Successor& successor, void* context) noexcept {
  auto& x = static_cast<H1Exchange&>(exchange);
  MR_ASSERT(x.queued && !x.replied);
  if (x.connection == nullptr)
    return true;  // The client left: its coroutine learns of it at its next co_await.
  const Session& session = session_of(*x.connection);
  if (!x.switches || session.draining || session.phase != Phase::switching) return false;
  x.replied = true;
  x.successor = &successor;
  x.successor_context = context;
  close_reply(x, write_reply(chain_of(x), x, {.status = 101, .fields = fields}));
  return true;
}

// It was answered in HTTP: requests may follow.
void Protocol::stay(net::Connection& connection, H1Exchange& x) noexcept {
  Session& session = session_of(connection);
  x.switches = false;
  if (session.phase != Phase::switching) return;
  session.phase = Phase::head;
  if (session.in_bytes || !connection.hold_reading) return;
  carrier_.hold_reading(connection, false);
  session.in_bytes = true;
  resume(connection, true);
  session.in_bytes = false;
}

// Every reply before is in the output, and so is the 101. The exchange stays with its coroutine.
void Protocol::hand_over(net::Connection& connection) noexcept {
  Session& session = session_of(connection);
  MR_ASSERT(session.pending_count == 1);
  H1Exchange& x = session.pending.pop_front();
  x.connection = nullptr;
  if (session.trailers) pool_.give(session.trailers);
  const bool draining = session.draining;
  session.~Session();
  x.successor->take_over(connection, x.successor_context);
  if (draining) connection.protocol->on_drain(connection);
}

}  // namespace millrace::h1
