// read.cpp: from received bytes to whole requests. A request's head and body lie side by side in one
// window: in the provided buffer where it came whole, else in Connection::input.
#include <algorithm>
#include <cstring>

#include "engine/base/assert.hpp"
#include "engine/proto/h1/protocol.hpp"

namespace millrace::h1 {
namespace {

/// What was answered in another way than by its route, or was decoded in place, is read anew each time.
bool repeatable(const H1Exchange& x) noexcept {
  const bool decoded = x.target.path.size() != x.head.plain_size;
  return x.route != nullptr && !x.close_after && x.target.form == http::TargetForm::origin && !decoded;
}

}  // namespace

// How many copies of the head that was read last, which still lies in this window, follow at once: 0, 1, or
// all that fit. Of heads of different lengths the ends differ, which saves the call. All at once are looked for
// once in a window, so that no peer has the same bytes read again and again.
inline std::size_t Protocol::copies_ahead(const Window& window) noexcept {
  const std::size_t size = repeat_bytes_;
  const std::size_t left = window.size - window.at;
  if (size == 0 || left < size) return 0;
  const char* const ahead = window.data + window.at;
  const auto end_of = [size](const char* head) noexcept {
    std::uint64_t end;
    std::memcpy(&end, head + size - sizeof end, sizeof end);
    return end;
  };
  if (end_of(ahead) != end_of(scratch_.head.base)) return 0;
  if (std::memcmp(ahead, scratch_.head.base, size) != 0) return 0;
  if (one_by_one_ || left < 2 * size) return 1;
  const std::size_t copies = left / size;
  one_by_one_ = std::memcmp(ahead + size, ahead, (copies - 1) * size) != 0;
  return one_by_one_ ? 1 : copies;
}

// Whoever pipelines, often sends one head again and again. The same bytes mean the same: the request is
// answered by what is known of the first of them, whose views stay as they are.
inline __attribute__((always_inline)) void Protocol::repeat_head(net::Connection& connection, Window& window,
                                                                 std::size_t copies) noexcept {
  H1Exchange& x = scratch_;
  do {
    x.replied = false;
    x.user_data = nullptr;
    x.on_done = nullptr;
    window.at += repeat_bytes_;
    ++counters_.requests;
    if (x.asynchronous) {
      start_asynchronous(connection);
      if (repeat_bytes_ == 0) return;  // Refused: what was known is gone.
      continue;
    }
    handler_.start(x);
    MR_ASSERT(x.replied);
    if (x.on_done != nullptr) x.on_done(x.user_data);
  } while (--copies != 0 && session_of(connection).phase == Phase::head && !paused(connection));
}

inline __attribute__((always_inline)) Protocol::Step Protocol::read_head(net::Connection& connection,
                                                                         Window& window,
                                                                         bool judge_partial) noexcept {
  Session& session = session_of(connection);
  const char* data = window.data + window.at;
  repeat_bytes_ = 0;
  const Error error = parser_.parse(data, window.size - window.at, judge_partial, scratch_.head);
  if (error.failed()) [[unlikely]]
    return end_without_head(connection, error);
  session.head_waiting = false;
  reset_scratch(connection);
  session.head_bytes = static_cast<std::uint32_t>(scratch_.head.base - data) + scratch_.head.size;
  // Sets every member of the framing, also where it refuses.
  const Error unframed = http::read_framing(scratch_.head, known_host_, scratch_.framing);
  if (unframed.failed()) [[unlikely]] {
    refuse(connection, unframed);
    return Step::again;
  }
  if (scratch_.framing.body != http::BodyKind::none) return begin_body(connection, window);
  window.at += session.head_bytes;
  dispatch(connection, {});
  if (repeatable(scratch_)) repeat_bytes_ = scratch_.head.size;
  return Step::again;
}

void Protocol::process(net::Connection& connection, Window& window, bool judge_partial) noexcept {
  Session& session = session_of(connection);
  repeat_bytes_ = 0;
  one_by_one_ = false;
  for (Step step = Step::again; step == Step::again;) {
    switch (session.phase) {
      case Phase::head:
        if (window.at == window.size) return;
        if (paused(connection)) [[unlikely]]
          return carrier_.hold_reading(connection, true);
        if (const std::size_t copies = copies_ahead(window); copies != 0) {
          repeat_head(connection, window, copies);
        } else {
          step = read_head(connection, window, judge_partial);
        }
        break;
      case Phase::body_length: step = read_length(connection, window); break;
      case Phase::body_chunked: step = read_chunked(connection, window); break;
      case Phase::body_parts: step = read_parts(connection, window); break;
      case Phase::switching:
        if (window.at != window.size) carrier_.hold_reading(connection, true);
        return;
      case Phase::switched: return;
      case Phase::stopped: window.at = window.size; return;
    }
    judge_partial = true;  // What lies behind a whole request has not been judged yet.
  }
}

Protocol::Step Protocol::end_without_head(net::Connection& connection, Error error) noexcept {
  Session& session = session_of(connection);
  if (error.code == Errc::need_more) {
    if (!session.head_waiting) {  // The deadline is for the whole head: a byte a second does not help.
      session.head_waiting = true;
      session.read_deadline = carrier_.now() + options_.header_ns;
    }
    return Step::wait;
  }
  session.head_waiting = false;
  reset_scratch(connection);
  scratch_.framing = {};
  scratch_.target = {};
  scratch_.head.method = http::Method::get;  // Unknown: answer with a body.
  scratch_.head.version_minor = 1;
  scratch_.head.field_count = 0;
  refuse(connection, error);
  return Step::again;
}

Protocol::Step Protocol::begin_body(net::Connection& connection, Window& window) noexcept {
  Session& session = session_of(connection);
  const http::Framing& framing = scratch_.framing;
  const bool by_length = framing.body == http::BodyKind::length;
  const std::size_t there = window.size - window.at - session.head_bytes;
  if (by_length && framing.content_length <= std::min<std::uint64_t>(there, options_.body_bytes_max)) {
    const char* body = window.data + window.at + session.head_bytes;
    window.at += session.head_bytes + framing.content_length;
    dispatch(connection, {body, framing.content_length});
    return Step::again;
  }
  session.read_deadline = carrier_.now() + options_.body_idle_ns;
  if (judge_before_body(connection, window)) return Step::again;
  if (by_length) {
    session.body_left = framing.content_length;
    session.phase = Phase::body_length;
    return Step::again;
  }
  session.phase = Phase::body_chunked;
  session.chunked = {};
  session.trailer_bytes = 0;
  return read_chunked(connection, window);
}

Protocol::Step Protocol::read_length(net::Connection& connection, Window& window) noexcept {
  Session& session = session_of(connection);
  char* const head = window.data + window.at;
  const std::size_t whole = session.head_bytes + session.body_left;
  if (window.size - window.at < whole) {
    session.read_deadline = carrier_.now() + options_.body_idle_ns;
    return Step::wait;
  }
  parse_again(connection, head);
  window.at += whole;
  dispatch(connection, {head + session.head_bytes, session.body_left});
  return Step::again;
}

// The decoded body is moved down behind the head, over the framing: what is kept is only what counts.
Protocol::Step Protocol::read_chunked(net::Connection& connection, Window& window) noexcept {
  Session& session = session_of(connection);
  char* head = window.data + window.at;
  char* raw = head + session.head_bytes + session.chunked.body_bytes;
  const std::size_t raw_bytes = static_cast<std::size_t>(window.data + window.size - raw);
  if (!session.trailers) {
    session.trailers = pool_.take(chunk_limits_.trailer_bytes_max);
    if (!session.trailers) {
      refuse(connection, {Errc::limit_reached, 503});
      return Step::again;
    }
  }
  std::size_t trailer_bytes = session.trailer_bytes;
  chunk_limits_.body_bytes_max = session.body_bytes_max;
  const Result<http::ChunkedProgress> progress = http::decode_chunked(
      session.chunked, chunk_limits_, raw, raw_bytes, raw, session.trailers.data, &trailer_bytes);
  session.trailer_bytes = static_cast<std::uint32_t>(trailer_bytes);
  if (!progress) {
    parse_again(connection, head);
    refuse(connection, progress.error());
    return Step::again;
  }
  if (!progress.value().done) {
    MR_ASSERT(progress.value().consumed_bytes == raw_bytes);
    window.size = static_cast<std::size_t>(raw - window.data) + progress.value().written_bytes;
    session.read_deadline = carrier_.now() + options_.body_idle_ns;
    return Step::wait;
  }
  parse_again(connection, head);
  window.at = static_cast<std::size_t>(raw - window.data) + progress.value().consumed_bytes;
  scratch_.trailers = {session.trailers.data, session.trailer_bytes};
  dispatch(connection, {head + session.head_bytes, session.chunked.body_bytes});
  if (session.trailers) {
    pool_.give(session.trailers);
    session.trailers = {};
  }
  return Step::again;
}

// The head was judged when it came; its spans are made anew because the bytes have moved since.
void Protocol::parse_again(net::Connection& connection, char* data) noexcept {
  reset_scratch(connection);
  const Error parsed = parser_.parse(data, session_of(connection).head_bytes, false, scratch_.head);
  MR_ASSERT(!parsed.failed());
  const Error framed = http::read_framing(scratch_.head, known_host_, scratch_.framing);
  MR_ASSERT(!framed.failed());
}

}  // namespace millrace::h1
