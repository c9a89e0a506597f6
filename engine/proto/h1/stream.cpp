// stream.cpp: the bodies of replies that are not there at once: pulled from a source, or pushed by a
// coroutine. Source: RFC 9112 section 7.1.
//
//   BodySource::read() <- pull()     -> Connection::output     a file, ...
//   push() -> Exchange::unsent -> transfer() -^                mr::Stream
//
// When full   past output_bytes_max (stream_ahead_bytes for a reply that waits for an earlier one) nothing is
//             taken; on_sent() goes on.
#include <algorithm>
#include <cstring>
#include <limits>

#include "engine/base/assert.hpp"
#include "engine/http/chunked.hpp"
#include "engine/proto/h1/head_parts.hpp"
#include "engine/proto/h1/protocol.hpp"

namespace millrace::h1 {
namespace {

constexpr std::string_view last_chunk = "0\r\n";
constexpr std::string_view line_end = "\r\n";
/// "ffff\r\n" before a chunk of one block at most, and the end of its line behind it.
constexpr std::size_t chunk_size_bytes = 6;
constexpr std::size_t chunk_framing_bytes = chunk_size_bytes + line_end.size();
static_assert(net::Chain::largest_room <= 0xffff);
constexpr std::size_t room_worth_filling = 512;
static_assert(room_worth_filling > chunk_framing_bytes);

std::size_t framing_bytes(const H1Exchange& x) noexcept { return x.in_chunks ? chunk_framing_bytes : 0; }

}  // namespace

// Fills the output from a source; true when the body is complete. Of a length that nobody knows, little may come
// at a time: what is left of a block is used up first, so that many short replies do not take a block each.
bool Protocol::pull(net::Connection& connection, H1Exchange& x) noexcept {
  const std::size_t before = x.in_chunks ? chunk_size_bytes : 0;
  while (x.left != 0) {
    if (connection.output.bytes() >= options_.output_bytes_max) return false;
    const std::size_t left = connection.output.room_left();
    const bool fills = x.left == proto::length_unknown && left >= room_worth_filling;
    const std::size_t room = fills ? std::min(left, net::Chain::largest_room) : net::Chain::largest_room;
    const std::size_t size =
        static_cast<std::size_t>(std::min<std::uint64_t>(x.left, room - framing_bytes(x)));
    char* const to = connection.output.room(pool_, size + framing_bytes(x));
    if (to == nullptr) {
      abort(connection, net::CloseReason::no_memory);
      return false;
    }
    const Result<std::size_t> got = x.source->read({to + before, size});
    if (!got) {  // The message cannot be completed any more: the only honest end is a cut.
      abort(connection, net::CloseReason::incomplete);
      return false;
    }
    const std::size_t bytes = got.value();
    MR_ASSERT(bytes <= size);
    if (x.left == proto::length_unknown) {
      if (bytes == 0) break;
    } else {
      MR_ASSERT(bytes != 0);
      x.left -= bytes;
    }
    if (!x.in_chunks) {
      connection.output.commit(bytes);
      continue;
    }
    // The size's digits are known only now: a part that came short is moved up to them.
    char digits[18];
    const std::size_t digit_bytes = http::encode_chunk_size(bytes, digits);
    if (digit_bytes != before) std::memmove(to + digit_bytes, to + before, bytes);
    std::memcpy(to, digits, digit_bytes);
    put(to + digit_bytes + bytes, line_end);
    connection.output.commit(digit_bytes + bytes + line_end.size());
  }
  x.source->release();
  x.source = nullptr;
  if (!x.in_chunks ||
      (connection.output.append(pool_, last_chunk) && connection.output.append(pool_, line_end)))
    return true;
  abort(connection, net::CloseReason::no_memory);
  return false;
}

net::Chain& Protocol::chain_of(H1Exchange& x) noexcept {
  return &session_of(*x.connection).pending.front() == &x ? x.connection->output : x.reply;
}

void Protocol::wake(H1Exchange& x) noexcept {
  MR_ASSERT(x.scope.waiter != nullptr);
  x.awaiting = proto::Awaiting::nothing;
  tasks_.wake(*x.scope.waiter);
}

void Protocol::begin(proto::Exchange& exchange, const proto::ReplyView& head) noexcept {
  auto* x = static_cast<H1Exchange*>(&exchange);
  MR_ASSERT(x->queued && x->stream == proto::StreamState::none);
  proto::ReplyView view = head;
  const bool reset = view.status == 205;  // A length of 0, whatever is written (RFC 9110 section 15.3.6).
  if (reset) view.source_bytes = 0;
  const bool unknown = view.source_bytes == proto::length_unknown;
  x->close_after = x->close_after || view.close || (unknown && x->head.version_minor == 0);
  x->stream = proto::StreamState::open;
  frame_body(*x, view);
  if (reset) {
    x->left = head.source_bytes;  // The writer is held to its own word all the same.
    x->drops_content = true;
  }
  net::Chain* out = open_reply(x, false);
  if (out != nullptr) close_reply(*x, write_reply(*out, *x, view));
}

bool Protocol::push(proto::Exchange& exchange) noexcept {
  auto& x = static_cast<H1Exchange&>(exchange);
  MR_ASSERT(x.stream == proto::StreamState::open);
  if (x.left != proto::length_unknown) {
    if (x.unsent.size() > x.left) {
      x.unsent = {};
      return false;
    }
    x.left -= x.unsent.size();
  }
  if (x.connection == nullptr) {
    x.unsent = {};
    return true;
  }
  // The writer waits, for its cancellation or its next turn: one without an end would never give the core back.
  if (x.connection->aborting || x.drops_content) return true;
  net::Connection& connection = *x.connection;
  Session& session = session_of(connection);
  const bool first = &session.pending.front() == &x;
  take_unsent(chain_of(x), x, first ? options_.output_bytes_max : stream_ahead_bytes);
  if (!session.in_bytes) settle(connection);
  return true;
}

// From the writer's bytes to a chain, up to bytes_max and a block. False, and the connection ends, without memory.
bool Protocol::take_unsent(net::Chain& out, H1Exchange& x, std::size_t bytes_max) noexcept {
  while (!x.unsent.empty() && out.bytes() < bytes_max) {
    const std::size_t size = std::min(x.unsent.size(), net::Chain::largest_room - framing_bytes(x));
    if (!put_part(out, x, x.unsent.substr(0, size))) {
      x.unsent = {};
      abort(*x.connection, net::CloseReason::no_memory);
      return false;
    }
    x.unsent.remove_prefix(size);
  }
  return true;
}

// What a coding ends with, which is known only when the content has ended: nobody waits for room then.
bool Protocol::take_last(H1Exchange& x) noexcept {
  if (x.drops_content) x.unsent = {};
  return take_unsent(chain_of(x), x, std::numeric_limits<std::size_t>::max());
}

bool Protocol::put_part(net::Chain& out, const H1Exchange& x, std::string_view bytes) noexcept {
  char* const begin = out.room(pool_, bytes.size() + framing_bytes(x));
  if (begin == nullptr) return false;
  char* to = begin;
  if (x.in_chunks) to += http::encode_chunk_size(bytes.size(), to);
  to = put(to, bytes);
  if (x.in_chunks) to = put(to, line_end);
  out.commit(static_cast<std::size_t>(to - begin));
  return true;
}

// The stream that is first in order goes on; true when it is complete.
bool Protocol::transfer(net::Connection& connection, H1Exchange& x) noexcept {
  if (!take_unsent(connection.output, x, options_.output_bytes_max)) return false;
  if (x.unsent.empty() && x.awaiting == proto::Awaiting::room) wake(x);
  return x.stream == proto::StreamState::ended;
}

bool Protocol::trailer(proto::Exchange& exchange, std::string_view line) noexcept {
  auto& x = static_cast<H1Exchange&>(exchange);
  if (!x.in_chunks) return false;
  const bool first = x.stream == proto::StreamState::open;
  MR_ASSERT(first || x.stream == proto::StreamState::trailers);
  x.stream = proto::StreamState::trailers;
  if (x.connection == nullptr || x.drops_content) return true;
  if (!take_last(x)) return true;
  net::Chain& out = chain_of(x);
  if ((first && !out.append(pool_, last_chunk)) || !out.append(pool_, line)) {
    abort(*x.connection, net::CloseReason::no_memory);
  }
  return true;
}

void Protocol::end(proto::Exchange& exchange) noexcept {
  auto& x = static_cast<H1Exchange&>(exchange);
  const bool in_trailers = x.stream == proto::StreamState::trailers;
  MR_ASSERT(in_trailers || x.stream == proto::StreamState::open);
  if (x.connection == nullptr) {
    x.stream = proto::StreamState::ended;
    return;
  }
  net::Connection& connection = *x.connection;
  const bool is_short = x.left != proto::length_unknown && x.left != 0 && !x.drops_content;
  if (connection.aborting || is_short) return cut(exchange);
  const bool taken = take_last(x);
  if (taken && x.in_chunks && !x.drops_content) {
    net::Chain& out = chain_of(x);
    if ((!in_trailers && !out.append(pool_, last_chunk)) || !out.append(pool_, line_end)) {
      abort(connection, net::CloseReason::no_memory);
    }
  }
  leave_upload(x);
  x.stream = proto::StreamState::ended;
  advance(connection);
  if (session_of(connection).in_bytes) return;
  if (connection.output.empty()) go_on(connection);  // Nothing is sent any more, so no on_sent() comes.
  settle(connection);
}

void Protocol::cut(proto::Exchange& exchange) noexcept {
  auto& x = static_cast<H1Exchange&>(exchange);
  x.stream = proto::StreamState::ended;
  x.unsent = {};
  if (x.connection != nullptr) abort(*x.connection, net::CloseReason::incomplete);
}

// When the silence of the stream that is first in order has lasted too long; never where there is none.
TimeNs Protocol::next_idle(net::Connection& connection) noexcept {
  Session& session = session_of(connection);
  const H1Exchange& x = session.pending.front();
  if (x.idle_ns == 0 || x.stream != proto::StreamState::open || !connection.output.empty()) return time_never;
  return session.idle_deadline != time_never ? session.idle_deadline : carrier_.now() + x.idle_ns;
}

// What a peer that is gone answers by a reset, and a proxy between counts as life.
void Protocol::send_idle_text(net::Connection& connection) noexcept {
  Session& session = session_of(connection);
  const H1Exchange& x = session.pending.front();
  session.idle_deadline = time_never;
  if (!x.drops_content && !put_part(connection.output, x, x.idle_text)) {
    abort(connection, net::CloseReason::no_memory);
  }
}

}  // namespace millrace::h1
