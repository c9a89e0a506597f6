#include "engine/proto/h1/protocol.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

#include "engine/base/assert.hpp"
#include "engine/net/input.hpp"

namespace millrace::h1 {

namespace {

constexpr std::size_t short_head_bytes = 128;

/// Whether a cut head, of which `known` bytes were there, is judged again with these. A hopeless one is
/// refused at once while it is short, later when a line ended or its size doubled: one byte at a time
/// stays linear.
bool judges_partial(std::size_t known, const char* data, std::size_t size) noexcept {
  const std::size_t now = known + size;
  return size == 0 || now < short_head_bytes || std::bit_width(now) != std::bit_width(known) ||
         std::memchr(data, '\n', size) != nullptr;
}

}  // namespace

Protocol::Protocol(const Options& options, net::Carrier& carrier, mem::BlockPool& pool,
                   proto::RequestHandler& handler, proto::Tasks& tasks) noexcept
    : options_(options),
      parser_(options.isa, options.head),
      carrier_(carrier),
      pool_(pool),
      handler_(handler),
      tasks_(tasks),
      date_(options.wall_clock),
      exchanges_(options.exchanges_max),
      fields_(new(std::nothrow) http::Field[options.head.fields_max]),
      scratch_(*this, nullptr) {
  MR_ASSERT(fields_ != nullptr);
  chunk_limits_.trailer_fields_max = options.head.fields_max;
  chunk_limits_.trailer_bytes_max = options.head.bytes_max;
  scratch_.head.fields = fields_.get();
  scratch_.head.fields_max = options.head.fields_max;
}

Protocol::~Protocol() = default;

void Protocol::on_open(net::Connection& connection) noexcept {
  Session& session = *new (connection.state) Session;
  session.read_deadline = carrier_.now() + options_.keepalive_ns;
  carrier_.set_deadline(connection, session.read_deadline);
}

void Protocol::on_bytes(net::Connection& connection, char* data, std::size_t size) noexcept {
  Session& session = session_of(connection);
  if (session.phase == Phase::stopped) return;
  session.in_bytes = true;
  net::Input& input = connection.input;
  if (input.size() == 0) [[likely]] {
    Window window{data, size, 0};
    process(connection, window, true);
    const std::size_t left = window.size - window.at;
    if (left != 0 && !net::append_input(input, pool_, window.data + window.at, left)) {
      // Behind a 101 nothing can be told in HTTP any more.
      if (session.phase == Phase::switched)
        abort(connection, net::CloseReason::no_memory);
      else
        refuse(connection, {Errc::limit_reached, 503});
    }
  } else {
    const std::size_t known = input.size();
    if (net::append_input(input, pool_, data, size)) {
      resume(connection, judges_partial(known, data, size));
    } else {
      refuse(connection, {Errc::limit_reached, 503});
    }
  }
  session.in_bytes = false;
  settle(connection);
}

void Protocol::on_end(net::Connection& connection) noexcept {
  Session& session = session_of(connection);
  if (session.upload != nullptr && !connection.hold_reading) [[unlikely]]
    abandon_upload(connection);
  // A cut head that can never be whole may be a faulty one that was not judged to its end yet.
  if (session.phase == Phase::head && !connection.hold_reading) read_kept(connection);
  settle(connection);
}

void Protocol::on_sent(net::Connection& connection) noexcept {
  Session& session = session_of(connection);
  session.write_deadline = connection.output.empty() ? time_never : next_write_check();
  if (session.pending_count != 0) advance(connection);
  go_on(connection);
  settle(connection);
}

// There may be room again for what was held.
void Protocol::go_on(net::Connection& connection) noexcept {
  Session& session = session_of(connection);
  if (!connection.hold_reading || session.phase == Phase::stopped || paused(connection)) return;
  carrier_.hold_reading(connection, false);
  read_kept(connection);
}

void Protocol::read_kept(net::Connection& connection) noexcept {
  Session& session = session_of(connection);
  session.in_bytes = true;
  if (connection.input.size() != 0) resume(connection, true);
  session.in_bytes = false;
}

void Protocol::on_deadline(net::Connection& connection) noexcept {
  Session& session = session_of(connection);
  const TimeNs now = carrier_.now();
  if (now >= session.idle_deadline && now < session.write_deadline && now < session.read_deadline) {
    send_idle_text(connection);
    return settle(connection);
  }
  if (now >= session.write_deadline && carrier_.peer_takes(connection)) {
    session.write_deadline = next_write_check();
    if (now < session.read_deadline) return settle(connection);
  }
  ++counters_.timeouts;
  if (now >= session.write_deadline) return abort(connection, net::CloseReason::timeout);
  MR_ASSERT(now >= session.read_deadline);
  session.read_deadline = time_never;
  if (session.phase == Phase::head && !session.head_waiting) {  // Idle between two requests.
    session.phase = Phase::stopped;
  } else if (session.phase == Phase::body_parts) {
    fail_parts(connection, {Errc::timeout, 408});
  } else {
    refuse(connection, {Errc::timeout, 408});
  }
  settle(connection);
}

void Protocol::on_drain(net::Connection& connection) noexcept {
  Session& session = session_of(connection);
  session.draining = true;
  const bool idle = !session.head_waiting && connection.input.size() == 0;
  if (session.phase == Phase::head && (idle || session.pending_count != 0)) session.phase = Phase::stopped;
  settle(connection);
}

void Protocol::on_closed(net::Connection& connection) noexcept {
  Session& session = session_of(connection);
  drop_pending(connection);
  if (session.trailers) pool_.give(session.trailers);
  if (connection.input.block) pool_.give(connection.input.block);
  connection.input = {};
  session.~Session();
}

// A peer that ends may want its replies still (a half-close), or be gone for good: TCP does not say, until
// bytes are sent and reset. Every reply starts with the same nine bytes, so they are sent ahead of a reply
// that a coroutine still works on: if they are reset, nobody waits for it, and it is cancelled.
void Protocol::probe(net::Connection& connection) noexcept {
  H1Exchange& first = session_of(connection).pending.front();
  carrier_.watch_hangup(connection);
  if (first.replied || first.probed || !connection.output.empty()) return;
  first.probed = connection.output.append(pool_, reply_prefix);
  // Without memory for so little there is none for the reply.
  if (!first.probed) abort(connection, net::CloseReason::no_memory);
}

// Input that was kept is read on: more of it came, or there is room again.
void Protocol::resume(net::Connection& connection, bool judge_partial) noexcept {
  net::Input& input = connection.input;
  Window window{input.data(), input.size(), 0};
  process(connection, window, judge_partial);
  input.end = input.begin + static_cast<std::uint32_t>(window.size);
  net::consume_input(input, pool_, window.at);
}

// The one place where what a connection waits for next is decided; every event ends here.
void Protocol::settle(net::Connection& connection) noexcept {
  Session& session = session_of(connection);
  if (session.in_bytes) return;  // on_bytes() is under way and settles itself.
  if (session.phase == Phase::switched) [[unlikely]]
    return hand_over(connection);
  if (connection.read_ended) [[unlikely]] {
    if (session.phase != Phase::stopped && !connection.hold_reading) {
      // What is left is a part of a request that will never be whole.
      if (session.upload != nullptr) [[unlikely]]
        abandon_upload(connection);
      if (connection.aborting) return;
      session.phase = Phase::stopped;
    }
    if (session.pending_count != 0) probe(connection);
  } else if (connection.hold_reading && session.pending_count != 0) [[unlikely]] {
    carrier_.watch_hangup(
        connection);  // Without a receive under way nothing would tell that the peer has reset.
  }
  if (session.phase == Phase::stopped) {
    if (connection.input.block) pool_.give(connection.input.block);
    connection.input = {};
    session.read_deadline = time_never;
  }
  if (!connection.output.empty()) {
    if (session.write_deadline == time_never) session.write_deadline = next_write_check();
    carrier_.flush_later(connection);
  }
  if (session.phase == Phase::stopped && session.pending_count == 0) {
    // Sets the deadline too: a send that stalls, or a peer that does not end, is not waited for.
    if (!connection.finishing) carrier_.finish(connection, net::CloseReason::finished);
    carrier_.set_deadline(connection, connection.output.empty() ? time_never : session.write_deadline);
    return;
  }
  set_deadlines(connection);
}

void Protocol::set_deadlines(net::Connection& connection) noexcept {
  Session& session = session_of(connection);
  if (session.phase == Phase::head && !session.head_waiting) {
    const bool idle = session.pending_count == 0 && connection.output.empty();
    session.read_deadline = idle ? carrier_.now() + options_.keepalive_ns : time_never;
  }
  const TimeNs reading = connection.hold_reading ? time_never : session.read_deadline;
  session.idle_deadline = session.pending_count == 0 ? time_never : next_idle(connection);
  carrier_.set_deadline(connection, std::min({reading, session.write_deadline, session.idle_deadline}));
}

}  // namespace millrace::h1
