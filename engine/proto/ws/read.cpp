// read.cpp: from received bytes to whole messages. Source: RFC 6455 sections 5 to 8.
#include <algorithm>
#include <cstring>

#include "engine/base/assert.hpp"
#include "engine/net/input.hpp"
#include "engine/proto/ws/mask.hpp"
#include "engine/proto/ws/protocol.hpp"
#include "engine/proto/ws/utf8.hpp"

namespace millrace::ws {

// Up to a message that is ready, to output without room for what is answered, or to the end of the bytes.
void Protocol::process(net::Connection& connection, Window& window) noexcept {
  Session& session = session_of(connection);
  while (!session.ready && !session.over) {
    if (session.in_frame) {
      if (window.left() == 0 && session.frame_left != 0) return;
      read_payload(connection, window);
      continue;
    }
    if (window.left() == 0) return;
    if (is_full(connection)) return;
    if (read_frame(connection, window) == Step::wait) return;
  }
}

void Protocol::process_input(net::Connection& connection) noexcept {
  net::Input& input = connection.input;
  if (input.size() == 0) return;
  Window window{input.data(), input.size(), 0};
  process(connection, window);
  net::consume_input(input, pool_, window.at);
}

Protocol::Step Protocol::read_frame(net::Connection& connection, Window& window) noexcept {
  FrameHeader header;
  const FrameVerdict verdict =
      read_frame_header(window.data + window.at, window.left(), session_of(connection).deflate, header);
  if (verdict == FrameVerdict::need_more) return Step::wait;
  if (verdict == FrameVerdict::bad) {
    fail(connection, CloseCode::protocol_error);
    return Step::wait;
  }
  if (is_control(header.opcode)) return read_control(connection, window, header);
  window.at += header.size;
  begin_frame(connection, header);
  return Step::again;
}

Protocol::Step Protocol::read_control(net::Connection& connection, Window& window,
                                      const FrameHeader& header) noexcept {
  const std::size_t size = static_cast<std::size_t>(header.payload_bytes);
  if (window.left() < header.size + size) return Step::wait;
  char payload[control_bytes_max];
  unmask(payload, window.data + window.at + header.size, size, header.mask, 0);
  window.at += header.size + size;
  switch (header.opcode) {
    case Opcode::close: on_close_frame(connection, {payload, size}); break;
    case Opcode::ping:
      if (!session_of(connection).close_sent) write_frame(connection, Opcode::pong, {payload, size}, false);
      break;
    case Opcode::pong: break;  // Bytes came: that is all it says.
    case Opcode::continuation:
    case Opcode::text:
    case Opcode::binary: MR_UNREACHABLE("a control frame with the opcode of data");
  }
  return Step::again;
}

void Protocol::begin_frame(net::Connection& connection, const FrameHeader& header) noexcept {
  Session& session = session_of(connection);
  const WebSocketOptions& limits = *session.options;
  if ((header.opcode == Opcode::continuation) != session.in_message) {
    return fail(connection, CloseCode::protocol_error);
  }
  if (!session.in_message) {
    session.in_message = true;
    session.opcode = header.opcode;
    session.compressed = header.compressed;
    session.fragments = 0;
    session.checked = 0;
    session.message.rewind();
  }
  const std::size_t room = limits.message_bytes - std::min(limits.message_bytes, session.message.size());
  const std::size_t frame_bytes_max = limits.frame_bytes != 0 ? limits.frame_bytes : limits.message_bytes;
  const bool too_large = header.payload_bytes > std::min(frame_bytes_max, room);
  if (!session.close_sent && (too_large || ++session.fragments > limits.fragments)) {
    return fail(connection, CloseCode::too_large);
  }
  session.in_frame = true;
  session.frame_fin = header.fin;
  session.mask = header.mask;
  session.frame_at = 0;
  session.frame_left = header.payload_bytes;
}

void Protocol::read_payload(net::Connection& connection, Window& window) noexcept {
  Session& session = session_of(connection);
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(session.frame_left, window.left()));
  if (size != 0 && !session.close_sent) [[likely]] {  // What comes behind our own close frame is dropped.
    char* to = session.message.room(pool_, size);
    if (to == nullptr) return abort(connection, net::CloseReason::no_memory);
    unmask(to, window.data + window.at, size, session.mask, session.frame_at);
    session.message.commit(size);
  }
  window.at += size;
  session.frame_at += size;
  session.frame_left -= size;
  const bool ends = session.frame_left == 0;
  if (session.opcode == Opcode::text && !session.compressed && !session.close_sent) {
    session.checked = check_utf8(session.message.view(), session.checked);
    const bool cut = ends && session.frame_fin && session.checked != session.message.size();
    if (session.checked == not_utf8 || cut) return fail(connection, CloseCode::bad_data);
  }
  if (!ends) return;
  session.in_frame = false;
  if (session.frame_fin) end_message(connection);
}

void Protocol::end_message(net::Connection& connection) noexcept {
  Session& session = session_of(connection);
  session.in_message = false;
  if (session.close_sent) return;
  if (session.compressed && !expand(connection)) return;
  ++counters_.messages_received;
  session.ready = true;
  if (session.end != nullptr && session.end->waiting == detail::SocketWait::message) wake(*session.end);
}

// In place of the compressed message.
bool Protocol::expand(net::Connection& connection) noexcept {
  Session& session = session_of(connection);
  Inflater* inflater = inflater_of(session);
  Bytes expanded;
  const InflateOutcome outcome =
      inflater == nullptr
          ? InflateOutcome::no_memory
          : inflater->expand(session.message.view(),
                             session.opcode == Opcode::text ? Content::text : Content::bytes,
                             session.client_takeover, session.options->message_bytes, pool_, expanded);
  session.message.clear(pool_);
  session.message = std::move(expanded);
  switch (outcome) {
    case InflateOutcome::done: return true;
    case InflateOutcome::bad: fail(connection, CloseCode::bad_data); return false;
    case InflateOutcome::too_large: fail(connection, CloseCode::too_large); return false;
    case InflateOutcome::no_memory: abort(connection, net::CloseReason::no_memory); return false;
  }
  MR_UNREACHABLE("an outcome outside the enumeration");
}

// The peer closes: its code is sent back, and the connection ends (section 5.5.1).
void Protocol::on_close_frame(net::Connection& connection, std::string_view payload) noexcept {
  Session& session = session_of(connection);
  unsigned code = static_cast<unsigned>(CloseCode::none);
  std::string_view reason;
  if (!payload.empty()) {
    if (payload.size() == 1) return fail(connection, CloseCode::protocol_error);
    code = static_cast<unsigned>(static_cast<unsigned char>(payload[0]) << 8 |
                                 static_cast<unsigned char>(payload[1]));
    reason = payload.substr(2);
    if (!may_be_sent(code)) return fail(connection, CloseCode::protocol_error);
    if (check_utf8(reason, 0) != reason.size()) return fail(connection, CloseCode::bad_data);
  }
  if (detail::SocketEnd* end = session.end; end != nullptr && end->close_code == 0) {
    end->close_code = static_cast<std::uint16_t>(code);
    if (!reason.empty()) keep_reason(*end, reason);
  }
  if (!session.close_sent) write_close(connection, code, {});
  lose(connection);
  session.over = true;
}

// Without memory for it there is none to be told.
void Protocol::keep_reason(detail::SocketEnd& end, std::string_view reason) noexcept {
  const mem::Block block = pool_.take(reason_block_bytes);
  if (!block) return;
  end.close_reason = block.data;
  end.close_reason_bytes = static_cast<std::uint8_t>(reason.copy(block.data, reason.size()));
}

// What the peer sent is no WebSocket, or past a limit: it is told why, and nothing more is read (section 7.1.7).
void Protocol::fail(net::Connection& connection, CloseCode code) noexcept {
  Session& session = session_of(connection);
  ++counters_.failed;
  end_session(connection, code, {});
  lose(connection);
  session.over = true;
}

}  // namespace millrace::ws
