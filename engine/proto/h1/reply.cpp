// reply.cpp: replies leave in the order of their requests, whatever order handlers finish in.
#include "engine/base/assert.hpp"
#include "engine/proto/h1/head_parts.hpp"
#include "engine/proto/h1/protocol.hpp"

namespace millrace::h1 {

namespace {
constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

// The reply that a drain waits for: a close with an earlier one would void the replies behind it.
bool ends_drain(const Session& session, const H1Exchange& x) noexcept {
  const bool in_body = session.phase == Phase::body_length || session.phase == Phase::body_chunked;
  return !in_body && session.pending_count == (x.queued ? 1 : 0);
}

}  // namespace

void Protocol::reply(proto::Exchange& exchange, const proto::ReplyView& view) noexcept {
  auto* x = static_cast<H1Exchange*>(&exchange);
  const bool unknown = view.source != nullptr && view.source_bytes == proto::length_unknown;
  x->close_after = x->close_after || view.close || (unknown && x->head.version_minor == 0);
  if (x->in_parts) [[unlikely]]
    leave_upload(*x);
  const net::FilePart* file = view.source != nullptr ? file_of(*x, *view.source) : nullptr;
  net::Chain* out = open_reply(x, view.source != nullptr && file == nullptr);
  if (out == nullptr) {
    if (view.source != nullptr) view.source->release();
    return;
  }
  if (view.source != nullptr) frame_body(*x, view);
  bool written = write_reply(*out, *x, view);
  if (view.source != nullptr) written = attach(*out, *x, *view.source, file) && written;
  close_reply(*x, written);
}

// What may stand in the output as a file, null for anything else.
const net::FilePart* Protocol::file_of(const H1Exchange& x, const proto::BodySource& source) const noexcept {
  const net::FilePart* file = source.file();
  const bool sent = file != nullptr && x.connection != nullptr && carrier_.sends_files(*x.connection);
  return sent ? file : nullptr;
}

// Behind the head: a file as it is, and its source is done with; any other source is pulled from.
bool Protocol::attach(net::Chain& out, H1Exchange& x, proto::BodySource& source,
                      const net::FilePart* file) noexcept {
  bool attached = true;
  if (file == nullptr && !x.drops_content) {
    x.source = &source;
    return true;
  }
  if (!x.drops_content) attached = out.append_file(pool_, *file);
  source.release();
  return attached;
}

// Whether a plain text can be written at once: on a connection that stays, with no reply before it.
inline bool Protocol::plain_now(const H1Exchange& x) const noexcept {
  if (!x.plain_allowed) return false;
  const Session& session = session_of(*x.connection);
  return session.pending_count == 0 && !session.draining;
}

inline void Protocol::write_plain_now(H1Exchange& x, std::string_view body) noexcept {
  MR_ASSERT(!x.replied);
  x.replied = true;
  ++counters_.replies[2];
  write_plain(x.connection->output, date_, body);
}

// Nearly every reply. Without a call, so that nothing is saved and restored: what needs one takes the long way.
void Protocol::reply_plain(proto::Exchange& exchange, std::string_view body) noexcept {
  auto& x = static_cast<H1Exchange&>(exchange);
  if (body.size() < small_body_bytes && plain_now(x) &&
      x.connection->output.room_left() >= fixed_parts_bytes + small_body_bytes) [[likely]] {
    return write_plain_now(x, body);
  }
  reply_plain_slowly(x, body);
}

void Protocol::reply_plain_slowly(H1Exchange& x, std::string_view body) noexcept {
  if (body.size() <= plain_body_max && plain_now(x) &&
      x.connection->output.room(pool_, plain_bytes(body)) != nullptr) {
    return write_plain_now(x, body);
  }
  ReplySink::reply_plain(x, body);
}

void Protocol::reply_fixed(proto::Exchange& exchange, const proto::FixedReply& fixed) noexcept {
  auto* x = static_cast<H1Exchange*>(&exchange);
  if (x->in_parts) [[unlikely]]
    leave_upload(*x);
  if (net::Chain* out = open_reply(x, false)) close_reply(*x, write_fixed(*out, *x, fixed));
}

void Protocol::reply_source(proto::Exchange& exchange, const proto::FixedReply& fixed,
                            proto::BodySource& source, std::uint64_t source_bytes) noexcept {
  auto* x = static_cast<H1Exchange*>(&exchange);
  if (x->in_parts) [[unlikely]]
    leave_upload(*x);
  const net::FilePart* file = file_of(*x, source);
  net::Chain* out = open_reply(x, file == nullptr);
  if (out == nullptr) return source.release();
  frame_body(*x, {.source_bytes = source_bytes});
  const bool written = write_fixed(*out, *x, {.head = fixed.head, .body = {}, .date_at = fixed.date_at});
  close_reply(*x, attach(*out, *x, source, file) && written);
}

// Where the bytes of this reply go: straight to the output when nothing is before it, else into the
// exchange's own chain. `exchange` becomes a queued one where the scratch must wait. Null: drop the reply.
net::Chain* Protocol::open_reply(H1Exchange*& exchange, bool must_queue) noexcept {
  H1Exchange& x = *exchange;
  MR_ASSERT(!x.replied);
  x.replied = true;
  if (x.connection == nullptr) return nullptr;  // The client left.
  net::Connection& connection = *x.connection;
  Session& session = session_of(connection);
  if (session.draining && ends_drain(session, x)) x.close_after = true;
  if (x.queued) return &session.pending.front() == &x ? &connection.output : &x.reply;
  if (session.pending_count == 0 && !must_queue) return &connection.output;

  H1Exchange* queued = exchanges_.make(*this, &connection);
  if (queued == nullptr) {
    abort(connection, net::CloseReason::no_memory);
    return nullptr;
  }
  queued->head.method = x.head.method;
  queued->head.version_minor = x.head.version_minor;
  queued->framing = x.framing;
  queued->close_after = x.close_after;
  queued->replied = queued->ended = queued->queued = true;
  session.pending.push_back(*queued);
  ++session.pending_count;
  exchange = queued;
  return session.pending_count == 1 ? &connection.output : &queued->reply;
}

void Protocol::close_reply(H1Exchange& x, bool written) noexcept {
  net::Connection& connection = *x.connection;
  if (!written) return abort(connection, net::CloseReason::no_memory);
  Session& session = session_of(connection);
  // Also where it waits: nothing behind it is run. A stream that begins within its request reads that on.
  if (x.close_after && session.upload != &x) session.phase = Phase::stopped;
  if (x.switches && x.successor == nullptr) [[unlikely]]
    stay(connection, x);
  if (x.queued) advance(connection);
  if (!session.in_bytes) settle(connection);
}

// Moves the finished prefix of the pending replies to the output.
void Protocol::advance(net::Connection& connection) noexcept {
  Session& session = session_of(connection);
  while (!session.pending.empty()) {
    H1Exchange& x = session.pending.front();
    connection.output.take_over(x.reply);
    if (!x.replied) {
      if (session.upload == &x) send_continue(connection);
      return;
    }
    if (x.source != nullptr && !pull(connection, x)) return;
    if (x.stream != proto::StreamState::none && !transfer(connection, x)) return;
    if (x.successor != nullptr) [[unlikely]] {
      session.phase = Phase::switched;
      return;
    }
    x.unlink();
    --session.pending_count;
    const bool close = x.close_after;
    if (x.ended) {
      release(x);
    } else {
      x.connection = nullptr;  // Its coroutine still runs, to its end: finished() releases it.
    }
    if (close) {
      drop_pending(connection);
      session.phase = Phase::stopped;
      return;
    }
  }
  send_continue(connection);
}

void Protocol::send_continue(net::Connection& connection) noexcept {
  Session& session = session_of(connection);
  if (!session.continue_due) return;
  session.continue_due = false;
  if (!connection.output.append(pool_, continue_line)) abort(connection, net::CloseReason::no_memory);
}

const net::Transport* Protocol::transport(const proto::Exchange& exchange) const noexcept {
  const net::Connection* connection = static_cast<const H1Exchange&>(exchange).connection;
  return connection != nullptr ? connection->transport : nullptr;
}

void Protocol::finished(proto::Exchange& exchange) noexcept {
  auto& x = static_cast<H1Exchange&>(exchange);
  MR_ASSERT(x.queued);
  MR_ASSERT(!x.ended);
  x.ended = true;
  if (x.on_done != nullptr) x.on_done(x.user_data);
  if (x.linked()) {
    MR_ASSERT(x.replied);  // Its reply waits for an earlier one, or for room.
    return;
  }
  release(x);
}

// The client is gone, or the replies behind a closing one are void.
void Protocol::drop_pending(net::Connection& connection) noexcept {
  Session& session = session_of(connection);
  session.upload = nullptr;
  while (!session.pending.empty()) {
    H1Exchange& x = session.pending.pop_front();
    --session.pending_count;
    if (x.source != nullptr) {
      x.source->release();
      x.source = nullptr;
    }
    x.connection = nullptr;
    if (x.ended) {
      release(x);
    } else {
      const bool complete = x.replied && x.stream == proto::StreamState::none;
      if (!complete && x.stream != proto::StreamState::ended) ++counters_.exchanges_cancelled;
      tasks_.cancel(x.scope);
    }
  }
}

// The core drops the connection at the end of the turn; until then nothing more is read for it.
void Protocol::abort(net::Connection& connection, net::CloseReason reason) noexcept {
  session_of(connection).phase = Phase::stopped;
  carrier_.abort(connection, reason);
}

void Protocol::release(H1Exchange& x) noexcept {
  x.reply.clear(pool_);
  x.upload.clear(pool_);
  if (x.body_bytes) pool_.give(x.body_bytes);
  if (x.trailer_bytes) pool_.give(x.trailer_bytes);
  if (x.bytes) pool_.give(x.bytes);
  exchanges_.destroy(x);
}

}  // namespace millrace::h1
