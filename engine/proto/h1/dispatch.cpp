// dispatch.cpp: from a whole request to its handler.
#include <cstring>

#include "engine/base/assert.hpp"
#include "engine/proto/h1/protocol.hpp"

namespace millrace::h1 {
namespace {

/// Moves a view along with the bytes it points into; one that points elsewhere stays.
struct Mover {
  const char* from;
  std::size_t size;
  const char* to;
  void operator()(std::string_view& view) const noexcept {
    const std::size_t at = static_cast<std::size_t>(view.data() - from);
    if (view.data() >= from && at <= size) view = {to + at, view.size()};
  }
};

}  // namespace

void Protocol::reset_scratch(net::Connection& connection) noexcept {
  scratch_.connection = &connection;
  scratch_.descriptor = connection.descriptor;
  scratch_.target.path = {};  // Empty until the target was read.
  scratch_.body = {};
  scratch_.trailers = {};
  scratch_.route = nullptr;
  scratch_.parameter_count = 0;
  scratch_.asynchronous = scratch_.reads_parts = false;
  scratch_.body_bytes_max = 0;
  scratch_.replied = false;
  scratch_.ended = true;
  scratch_.close_after = false;
  scratch_.plain_allowed = false;
  scratch_.user_data = nullptr;
  scratch_.on_done = nullptr;
}

void Protocol::dispatch(net::Connection& connection, std::string_view body) noexcept {
  Session& session = session_of(connection);
  ++counters_.requests;
  session.continue_due = false;  // With the body there, nobody waits for it.
  scratch_.body = body;
  scratch_.close_after = !scratch_.framing.keep_alive;
  session.phase = scratch_.close_after ? Phase::stopped : Phase::head;
  http::Head& head = scratch_.head;
  scratch_.plain_allowed =
      !scratch_.close_after && head.version_minor != 0 && head.method != http::Method::head;
  const Error error = http::read_target(head, const_cast<char*>(head.base), scratch_.target);
  if (error.failed()) [[unlikely]] {
    if (error.code != Errc::bad_percent_encoding) return refuse(connection, error);
    handler_.refuse(scratch_, error);  // The message is whole and its end is sure: the connection stays.
  } else if (scratch_.framing.expectation_unknown) [[unlikely]] {
    handler_.refuse(scratch_, {Errc::expectation_unknown, 417});
  } else {
    handler_.route(scratch_);
    if (scratch_.body_bytes_max != 0 && body.size() > scratch_.body_bytes_max) [[unlikely]] {
      handler_.refuse(scratch_, {Errc::body_too_large, 413});  // Whole, so the connection stays.
    } else if (scratch_.asynchronous) {
      return start_asynchronous(connection);
    } else {
      handler_.start(scratch_);
    }
  }
  MR_ASSERT(scratch_.replied);
  if (scratch_.on_done != nullptr) scratch_.on_done(scratch_.user_data);
}

void Protocol::start_asynchronous(net::Connection& connection) noexcept {
  H1Exchange* exchange = adopt(connection);
  if (exchange == nullptr) return;
  if (session_of(connection).draining) session_of(connection).phase = Phase::stopped;
  if (exchange->framing.upgrade && handler_.may_switch(*exchange)) await_switch(connection, *exchange);
  handler_.start(*exchange);
}

// A coroutine may outlive the window, so it gets the request's bytes for its own before it starts. Null,
// and the request is refused, where there is no memory for them.
H1Exchange* Protocol::adopt(net::Connection& connection) noexcept {
  Session& session = session_of(connection);
  H1Exchange* exchange = exchanges_.make(*this, &connection);
  const std::size_t table_bytes = scratch_.head.field_count * sizeof(http::Field);
  const std::size_t head_bytes = scratch_.head.size;
  const std::size_t total = table_bytes + head_bytes + scratch_.body.size() + scratch_.trailers.size();
  mem::Block block = exchange != nullptr ? pool_.take(total) : mem::Block{};
  if (!block) {
    if (exchange != nullptr) exchanges_.destroy(*exchange);
    repeat_bytes_ = 0;  // The refusal leaves nothing to repeat.
    handler_.refuse(scratch_, {Errc::limit_reached, 503});
    return nullptr;
  }
  H1Exchange& x = *exchange;
  x.bytes = block;
  x.streams = this;
  x.head = scratch_.head;
  x.target = scratch_.target;
  x.framing = scratch_.framing;
  x.body = scratch_.body;
  x.trailers = scratch_.trailers;
  x.route = scratch_.route;
  x.parameters = scratch_.parameters;
  x.parameter_count = scratch_.parameter_count;
  x.asynchronous = true;
  x.reads_parts = scratch_.reads_parts;
  x.body_whole = !x.reads_parts || x.framing.body == http::BodyKind::none;
  x.close_after = scratch_.close_after;
  x.descriptor = scratch_.descriptor;

  char* to = block.data;
  std::memcpy(to, scratch_.head.fields, table_bytes);
  x.head.fields = reinterpret_cast<http::Field*>(to);
  to += table_bytes;
  std::memcpy(to, scratch_.head.base, head_bytes);
  x.head.base = to;
  const Mover move{scratch_.head.base, head_bytes, to};
  move(x.target.path);
  move(x.target.query);
  move(x.target.authority);
  move(x.framing.host);
  for (unsigned i = 0; i < x.parameter_count; ++i) move(x.parameters[i]);
  to += head_bytes;
  if (!x.body.empty()) std::memcpy(to, x.body.data(), x.body.size());
  x.body = {to, x.body.size()};
  to += x.body.size();
  if (!x.trailers.empty()) std::memcpy(to, x.trailers.data(), x.trailers.size());
  x.trailers = {to, x.trailers.size()};

  x.queued = true;
  session.pending.push_back(x);
  ++session.pending_count;
  return exchange;
}

// The body is not there yet, or too large: what does not need it is done now. True where the request is
// answered, or its handler reads the body in parts; false where it is gathered.
bool Protocol::judge_before_body(net::Connection& connection, Window& window) noexcept {
  Session& session = session_of(connection);
  const http::Framing& framing = scratch_.framing;
  const bool nothing_yet = window.size - window.at == session.head_bytes;
  const bool asks = framing.expect_continue && nothing_yet;
  http::Head& head = scratch_.head;

  // Decoding happens in place, and once: a head that will be read again is judged by a copy.
  mem::Block copy;
  const char* const original = head.base;
  if (head.target().find('%') != std::string_view::npos) {
    copy = pool_.take(head.size);
    if (!copy) {
      refuse(connection, {Errc::limit_reached, 503});
      return true;
    }
    std::memcpy(copy.data, head.base, head.size);
    const Mover move{original, head.size, copy.data};
    move(scratch_.framing.host);
    head.base = copy.data;
  }
  const bool judged = [&]() noexcept {
    const Error error = http::read_target(head, const_cast<char*>(head.base), scratch_.target);
    if (!error.failed()) handler_.route(scratch_);
    const std::uint64_t body_bytes_max =
        scratch_.body_bytes_max != 0 ? scratch_.body_bytes_max : options_.body_bytes_max;
    session.body_bytes_max = body_bytes_max;
    if (framing.body == http::BodyKind::length && framing.content_length > body_bytes_max) {
      refuse(connection, {Errc::body_too_large, 413});
      return true;
    }
    if (error.failed()) {
      if (asks) refuse(connection, error);
      return asks;  // Else it is answered behind its body, and the connection may stay.
    }
    if (scratch_.route == nullptr && !scratch_.asynchronous &&
        asks) {  // The body is not asked for (RFC 9110 section 10.1.1).
      ++counters_.requests;
      scratch_.close_after = true;  // It may still come, or not: the end of the message is unsure.
      session.phase = Phase::stopped;
      handler_.start(scratch_);
      MR_ASSERT(scratch_.replied);
      return true;
    }
    if (!scratch_.reads_parts || framing.expectation_unknown) return false;
    session.continue_waits = asks;
    begin_parts(connection, window);
    return true;
  }();
  if (copy) {
    pool_.give(copy);
    head.base = original;  // Whoever goes on reads it anew.
  }
  if (judged) return true;
  if (asks) owe_continue(connection);
  return false;
}

void Protocol::owe_continue(net::Connection& connection) noexcept {
  Session& session = session_of(connection);
  session.continue_due = true;
  if (session.pending_count == 0) send_continue(connection);
}

// A request that ends the connection: nothing behind it is read (RFC 9112 section 9.6).
void Protocol::refuse(net::Connection& connection, Error error) noexcept {
  Session& session = session_of(connection);
  ++counters_.refused;
  const bool in_parts = session.phase == Phase::body_parts;
  session.phase = Phase::stopped;
  session.continue_due = session.continue_waits = false;
  if (error.code == Errc::timeout || error.code == Errc::limit_reached || in_parts) {
    reset_scratch(connection);  // Met outside of a request's judgement: nothing is known of one.
    scratch_.framing = {};
    scratch_.target = {};
    scratch_.head.method = http::Method::get;
    scratch_.head.version_minor = 1;
    scratch_.head.field_count = 0;
  }
  scratch_.close_after = true;
  scratch_.plain_allowed = false;
  scratch_.replied = false;
  handler_.refuse(scratch_, error);
  MR_ASSERT(scratch_.replied);
}

}  // namespace millrace::h1
