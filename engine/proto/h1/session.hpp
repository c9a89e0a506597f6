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
  proto::Successor* successor = nullptr;  ///< Its reply was a 101.
  void* successor_context = nullptr;
  std::uint64_t left = 0;        ///< Of a source or a stream; proto::length_unknown stays.
  net::Chain upload;             ///< Its body, as far as it came and was not read.
  mem::Block body_bytes;         ///< Of a body that came in parts and was collected.
  mem::Block trailer_bytes;      ///< Of a body that came in parts.
  std::uint32_t part_bytes = 0;  ///< Of the front of `upload`, which the handler has now.
  bool queued = false;           ///< In Session::pending, from the slab; else the core's scratch.
  bool ended = false;            ///< No coroutine runs for it (any more).
  bool close_after = false;
  bool plain_allowed = false;  ///< Scratch, HTTP/1.1, not HEAD, and the connection stays.
  bool probed = false;         ///< The first bytes of its reply have left: see Protocol::probe().
  bool switches = false;       ///< Its reply may be a 101.
  bool in_chunks = false;      ///< The reply's body is.
  bool in_parts = false;       ///< Started before its body was there.
  bool body_ended = false;     ///< In parts: the last one is in `upload`.
  bool body_given = false;     ///< Whole: proto::Streams::next() has given it.
  bool collecting = false;     ///< In parts, but wanted whole: proto::Streams::collect().
};

enum class Phase : std::uint8_t {
  head,          ///< Before or inside a head.
  body_length,   ///< Inside a body of known length; the input starts at its head.
  body_chunked,  ///< Inside a chunked body; the input is the head and what is decoded of it.
  body_parts,    ///< Inside a body whose handler has started: it gets the parts as they come.
  switching,     ///< The last request may switch protocols: what comes behind it is kept.
  switched,      ///< A 101 is in the output: settle() hands the connection over.
  stopped,       ///< No request is read any more: what comes is dropped.
};

/// In Connection::state.
struct Session {
  List<H1Exchange, proto::ExchangeTag> pending;  ///< In request order; the first one writes.
  H1Exchange* upload = nullptr;        ///< Phase::body_parts: who gets them; null: they are dropped.
  std::uint64_t body_left = 0;         ///< body_length: bytes of the body; body_parts: what is missing of it.
  std::uint64_t body_bytes_max = 0;    ///< Of a chunked body.
  TimeNs read_deadline = time_never;   ///< For what is being read: head, body or the next request.
  TimeNs write_deadline = time_never;  ///< For what is being sent.
  TimeNs idle_deadline = time_never;   ///< When a silent stream sends its idle text.
  http::ChunkedState chunked;
  mem::Block trailers;           ///< Trailer fields of the chunked body under way.
  std::uint32_t head_bytes = 0;  ///< Of the request whose body is read, skipped empty lines included.
  std::uint32_t trailer_bytes = 0;
  std::uint16_t pending_count = 0;
  Phase phase = Phase::head;
  bool continue_waits : 1 = false;  ///< 100 (Continue) is owed once the handler asks for the body.
  bool continue_due : 1 = false;    ///< 100 (Continue) is owed, behind the replies before it.
  bool close_after : 1 = false;     ///< The reply of the request being read closes.
  bool draining : 1 = false;
  bool head_waiting : 1 = false;  ///< Part of a head is there; read_deadline is its total time.
  bool in_bytes : 1 = false;      ///< on_bytes() runs, and settles when it is through.
};
static_assert(sizeof(Session) <= net::Connection::state_bytes);

inline Session& session_of(net::Connection& connection) noexcept {
  return *reinterpret_cast<Session*>(connection.state);
}

}  // namespace millrace::h1
