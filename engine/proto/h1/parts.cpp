// parts.cpp: a request's body in parts: its handler starts with the head, and reads what has come.
//
//   on_bytes -> take_parts() -> H1Exchange::upload -> next() or collect() -> the handler
//
// When full   past upload_bytes_max that the handler has not read, receiving stops; what the kernel had
//             delivered by then is taken still, so a connection holds that and one turn's receives at most.
#include <algorithm>
#include <cstring>

#include "engine/base/assert.hpp"
#include "engine/proto/h1/protocol.hpp"

namespace millrace::h1 {

bool Protocol::upload_full(const Session& session) const noexcept {
  const H1Exchange* x = session.upload;
  return x != nullptr && !x->collecting && x->upload.bytes() >= options_.upload_bytes_max;
}

// What is there of the body is taken before the handler starts: one that is faulty at once has none.
void Protocol::begin_parts(net::Connection& connection, Window& window) noexcept {
  Session& session = session_of(connection);
  ++counters_.requests;
  scratch_.close_after = !scratch_.framing.keep_alive;
  H1Exchange* x = adopt(connection);
  if (x == nullptr) {  // Refused; where its body ends is not looked for.
    session.phase = Phase::stopped;
    return;
  }
  x->in_parts = true;
  window.at += session.head_bytes;
  session.upload = x;
  session.phase = Phase::body_parts;
  session.body_left = x->framing.content_length;
  session.chunked = {};
  session.trailer_bytes = 0;
  const Error error = take_parts(connection, window);
  if (error.failed()) {
    session.upload = nullptr;
    x->unlink();
    --session.pending_count;
    release(*x);
    return refuse(connection, error);
  }
  if (session.continue_waits) session.read_deadline = time_never;  // The peer waits for us.
  handler_.start(*x);
}

Protocol::Step Protocol::read_parts(net::Connection& connection, Window& window) noexcept {
  Session& session = session_of(connection);
  if (window.at == window.size) return Step::wait;
  const Error error = take_parts(connection, window);
  if (error.failed()) {
    fail_parts(connection, error);
    return Step::again;
  }
  if (session.phase != Phase::body_parts) return Step::again;
  if (upload_full(session)) carrier_.hold_reading(connection, true);
  return Step::wait;
}

// Takes all there is of the body, decoded in place first where it is in chunks.
Error Protocol::take_parts(net::Connection& connection, Window& window) noexcept {
  Session& session = session_of(connection);
  H1Exchange* x = session.upload;
  char* const data = window.data + window.at;
  const std::size_t size = window.size - window.at;
  if (size != 0) session.continue_due = session.continue_waits = false;
  std::size_t consumed = 0, decoded = 0;
  bool done = false;
  if (x != nullptr && x->framing.body == http::BodyKind::chunked) {
    if (!session.trailers) session.trailers = pool_.take(chunk_limits_.trailer_bytes_max);
    if (!session.trailers) return {Errc::limit_reached, 503};
    std::size_t trailer_bytes = session.trailer_bytes;
    chunk_limits_.body_bytes_max = session.body_bytes_max;
    const Result<http::ChunkedProgress> progress = http::decode_chunked(
        session.chunked, chunk_limits_, data, size, data, session.trailers.data, &trailer_bytes);
    if (!progress) return progress.error();
    session.trailer_bytes = static_cast<std::uint32_t>(trailer_bytes);
    consumed = progress.value().consumed_bytes;
    decoded = progress.value().written_bytes;
    done = progress.value().done;
  } else {
    consumed = decoded = static_cast<std::size_t>(std::min<std::uint64_t>(size, session.body_left));
    session.body_left -= consumed;
    done = session.body_left == 0;
  }
  window.at += consumed;
  if (x != nullptr && !x->upload.append(pool_, {data, decoded})) return {Errc::limit_reached, 503};
  session.read_deadline = carrier_.now() + options_.body_idle_ns;
  if (done) end_parts(connection);
  if (x != nullptr && x->awaiting == proto::Awaiting::body && (done || (decoded != 0 && !x->collecting))) {
    wake(*x);
  }
  return {};
}

// The message is whole: the next request may follow.
void Protocol::end_parts(net::Connection& connection) noexcept {
  Session& session = session_of(connection);
  bool closes = session.draining;
  if (H1Exchange* x = std::exchange(session.upload, nullptr)) {
    x->body_ended = true;
    closes = closes || x->close_after;
    if (session.trailer_bytes != 0) {
      x->trailer_bytes = std::exchange(session.trailers, {});
      x->trailers = {x->trailer_bytes.data, session.trailer_bytes};
    }
  }
  if (session.trailers) pool_.give(std::exchange(session.trailers, {}));
  session.phase = closes ? Phase::stopped : Phase::head;
}

// The body is faulty, too long, or does not come.
void Protocol::fail_parts(net::Connection& connection, Error error) noexcept {
  Session& session = session_of(connection);
  if (session.upload == nullptr) {  // Nobody reads it, and the reply has left.
    session.phase = Phase::stopped;
    return;
  }
  abandon_upload(connection);
  if (!connection.aborting) refuse(connection, error);
}

// The rest of the body will not come. Its handler is cancelled; a reply that has begun is cut.
void Protocol::abandon_upload(net::Connection& connection) noexcept {
  Session& session = session_of(connection);
  H1Exchange& x = *session.upload;
  if (x.replied) return abort(connection, net::CloseReason::peer_closed);
  MR_ASSERT(!x.ended);
  session.upload = nullptr;
  x.unlink();
  --session.pending_count;
  x.connection = nullptr;
  ++counters_.exchanges_cancelled;
  tasks_.cancel(x.scope);
}

// The reply is there before its request: a short rest of the body is read and dropped, a long one not.
void Protocol::leave_upload(H1Exchange& x) noexcept {
  if (x.connection == nullptr) return;
  net::Connection& connection = *x.connection;
  Session& session = session_of(connection);
  if (session.upload != &x) return;
  session.upload = nullptr;
  x.upload.clear(pool_);
  x.part_bytes = 0;
  const bool discards = x.framing.body == http::BodyKind::length && session.body_left <= discard_bytes_max &&
                        !session.continue_waits && !x.close_after && x.stream == proto::StreamState::none;
  if (!discards) {
    x.close_after = true;
    session.phase = Phase::stopped;
  }
  session.continue_due = session.continue_waits = false;
  if (connection.hold_reading) carrier_.hold_reading(connection, false);
}

// A client that asked whether to send its body is told so when somebody wants it.
void Protocol::ask_for_body(H1Exchange& x) noexcept {
  net::Connection& connection = *x.connection;
  Session& session = session_of(connection);
  if (!session.continue_waits || x.replied) return;  // A reply that has begun leaves no place for a 100.
  session.continue_waits = false;
  session.continue_due = true;
  session.read_deadline = carrier_.now() + options_.body_idle_ns;
  advance(connection);
  if (!session.in_bytes) settle(connection);
}

// There is room for more of the body.
void Protocol::read_on(H1Exchange& x) noexcept {
  if (x.connection == nullptr) return;
  net::Connection& connection = *x.connection;
  Session& session = session_of(connection);
  if (session.upload != &x || !connection.hold_reading || upload_full(session)) return;
  carrier_.hold_reading(connection, false);
  session.read_deadline = carrier_.now() + options_.body_idle_ns;
  if (!session.in_bytes) settle(connection);
}

proto::BodyPart Protocol::next(proto::Exchange& exchange) noexcept {
  using State = proto::BodyPart::State;
  auto& x = static_cast<H1Exchange&>(exchange);
  if (!x.in_parts) {
    if (x.body_given || x.body.empty()) return {};
    x.body_given = true;
    return {State::bytes, x.body};
  }
  if (x.part_bytes != 0) {
    x.upload.consume(pool_, std::exchange(x.part_bytes, 0));
    read_on(x);
  }
  if (!x.upload.empty()) {
    const iovec part = x.upload.gather().front();
    x.part_bytes = static_cast<std::uint32_t>(part.iov_len);
    return {State::bytes, {static_cast<const char*>(part.iov_base), part.iov_len}};
  }
  if (x.connection == nullptr || session_of(*x.connection).upload != &x) return {};
  ask_for_body(x);
  return {State::wait, {}};
}

Errc Protocol::collect(proto::Exchange& exchange) noexcept {
  auto& x = static_cast<H1Exchange&>(exchange);
  if (!x.in_parts) {
    x.body_whole = true;
    return Errc::ok;
  }
  if (x.part_bytes != 0) x.upload.consume(pool_, std::exchange(x.part_bytes, 0));
  if (!x.body_ended && x.connection != nullptr && session_of(*x.connection).upload == &x) {
    x.collecting = true;
    read_on(x);
    if (x.connection == nullptr) return Errc::need_more;  // The rest never comes: it was cancelled just now.
    ask_for_body(x);
    return Errc::need_more;
  }
  // Moved into one block beside the request's, which the exchange then owns in its place.
  const std::size_t size = x.upload.bytes();
  if (size != 0) {
    const mem::Block whole = pool_.take(size);
    if (!whole) return Errc::limit_reached;
    char* to = whole.data;
    while (!x.upload.empty()) {
      const iovec part = x.upload.gather().front();
      std::memcpy(to, part.iov_base, part.iov_len);
      to += part.iov_len;
      x.upload.consume(pool_, part.iov_len);
    }
    x.body_bytes = whole;
    x.body = {whole.data, size};
  }
  x.in_parts = false;
  x.body_whole = true;
  return Errc::ok;
}

}  // namespace millrace::h1
