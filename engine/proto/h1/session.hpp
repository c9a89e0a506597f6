// session.hpp: the state of HTTP/1.1 on one connection, and its exchanges.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/list.hpp"
#include "engine/http/chunked.hpp"
#include "engine/mem/block_pool.hpp"
#include "engine/net/chain.hpp"
#include "engine/net/connection.hpp"
#include "engine/proto/exchange.hpp"

namespace millrace::h1 {

/// What every reply starts with.
inline constexpr std::string_view reply_prefix = "HTTP/1.1 ";

/// An exchange of this protocol.
struct H1Exchange : proto::Exchange {
  H1Exchange(proto::ReplySink& answerer, net::Connection* on) noexcept
      : proto::Exchange(answerer), connection(on) {}

  net::Connection* connection;  ///< Null once the client has left.
  net::Chain reply;             ///< Its bytes, until every earlier reply is in the output.
  mem::Block bytes;             ///< The request's own copy, for a coroutine.
  proto::BodySource* source = nullptr;
  std::uint64_t source_left = 0;
  bool queued = false;  ///< In Session::pending, from the slab; else the core's scratch.
  bool ended = false;   ///< No coroutine runs for it (any more).
  bool close_after = false;
  bool plain_allowed = false;  ///< Scratch, HTTP/1.1, not HEAD, and the connection stays.
  bool probed = false;         ///< The first bytes of its reply have left: see Protocol::probe().
};

enum class Phase : std::uint8_t {
  head,          ///< Before or inside a head.
  body_length,   ///< Inside a body of known length; the input starts at its head.
  body_chunked,  ///< Inside a chunked body; the input is the head and what is decoded of it.
  stopped,       ///< No request is read any more: what comes is dropped.
};

/// In Connection::state.
struct Session {
  List<H1Exchange, proto::ExchangeTag> pending;  ///< In request order; the first one writes.
  std::uint64_t body_left = 0;                   ///< Phase::body_length: bytes of the body.
  TimeNs read_deadline = time_never;             ///< For what is being read: head, body or the next request.
  TimeNs write_deadline = time_never;            ///< For what is being sent.
  http::ChunkedState chunked;
  mem::Block trailers;           ///< Trailer fields of the chunked body under way.
  std::uint32_t head_bytes = 0;  ///< Of the request whose body is read, skipped empty lines included.
  std::uint32_t trailer_bytes = 0;
  std::uint16_t pending_count = 0;
  Phase phase = Phase::head;
  bool continue_due : 1 = false;  ///< 100 (Continue) is owed, behind the replies before it.
  bool close_after : 1 = false;   ///< The reply of the request being read closes.
  bool draining : 1 = false;
  bool head_waiting : 1 = false;  ///< Part of a head is there; read_deadline is its total time.
  bool in_bytes : 1 = false;      ///< on_bytes() runs, and settles when it is through.
};
static_assert(sizeof(Session) <= net::Connection::state_bytes);

inline Session& session_of(net::Connection& connection) noexcept {
  return *reinterpret_cast<Session*>(connection.state);
}

}  // namespace millrace::h1
