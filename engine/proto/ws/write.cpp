// write.cpp: from messages to frames, and what the coroutine asks of its connection.
#include <algorithm>
#include <cstring>
#include <new>

#include "engine/base/assert.hpp"
#include "engine/proto/ws/protocol.hpp"

namespace millrace::ws {
namespace {

/// At most `size` bytes of a UTF-8 text, without a part of a character at the end.
std::string_view cut_text(std::string_view text, std::size_t size) noexcept {
  if (text.size() <= size) return text;
  while (size != 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return text.substr(0, size);
}

}  // namespace

// Without memory the connection ends, because a frame may be half written.
bool Protocol::write_frame(net::Connection& connection, Opcode opcode, std::string_view payload,
                           bool compressed) noexcept {
  net::Chain& out = connection.output;
  const bool together = payload.size() <= net::Chain::largest_room - sent_header_bytes_max;
  char* to = out.room(pool_, sent_header_bytes_max + (together ? payload.size() : 0));
  if (to == nullptr) {
    abort(connection, net::CloseReason::no_memory);
    return false;
  }
  std::size_t size = write_frame_header(to, opcode, compressed, payload.size());
  if (together && !payload.empty()) {
    std::memcpy(to + size, payload.data(), payload.size());
    size += payload.size();
  }
  out.commit(size);
  if (together || out.append(pool_, payload)) return true;
  abort(connection, net::CloseReason::no_memory);
  return false;
}

bool Protocol::write_message(net::Connection& connection, Published& published) noexcept {
  Session& session = session_of(connection);
  const std::string_view message = published.message;
  ++counters_.messages_sent;
  if (!session.deflate || message.empty() || message.size() < session.options->compress_bytes)
    return write_frame(connection, published.opcode, message, false);
  Published alone{message, published.opcode};
  Published& one = session.server_takeover ? alone : published;
  // Without memory to compress it goes as it is.
  const bool compressed = one.window_bits == session.server_window_bits || compress(session, one);
  const std::string_view payload = compressed ? one.compressed.view() : message;
  const bool written = write_frame(connection, published.opcode, payload, compressed);
  alone.compressed.clear(pool_);
  return written;
}

bool Protocol::compress(Session& session, Published& published) noexcept {
  published.compressed.clear(pool_);
  Deflater* const deflater = deflater_of(session);
  const bool done = deflater != nullptr && deflater->compress(published.message, session.server_takeover,
                                                              pool_, published.compressed);
  if (!done) published.compressed.clear(pool_);
  published.window_bits = done ? session.server_window_bits : 0;
  return done;
}

void Protocol::write_close(net::Connection& connection, unsigned code, std::string_view reason) noexcept {
  Session& session = session_of(connection);
  MR_ASSERT(!session.close_sent);
  char payload[control_bytes_max];
  std::size_t size = 0;
  if (code != static_cast<unsigned>(CloseCode::none)) {
    payload[0] = static_cast<char>(code >> 8);
    payload[1] = static_cast<char>(code);
    size = 2 + cut_text(reason, control_bytes_max - 2).copy(payload + 2, control_bytes_max - 2);
  }
  session.close_sent = true;
  write_frame(connection, Opcode::close, {payload, size}, false);
}

Deflater* Protocol::deflater_of(Session& session) noexcept {
  Deflater* deflater = session.deflater.get();
  if (!session.server_takeover) {
    std::unique_ptr<Deflater>& shared = deflaters_[session.server_window_bits];
    if (shared == nullptr) shared.reset(new (std::nothrow) Deflater(pool_, session.server_window_bits));
    deflater = shared.get();
    if (deflater != nullptr && !deflater->ready()) {
      shared.reset();
      return nullptr;
    }
  }
  return deflater != nullptr && deflater->ready() ? deflater : nullptr;
}

Inflater* Protocol::inflater_of(Session& session) noexcept {
  Inflater* inflater = session.inflater.get();
  if (!session.client_takeover) {
    if (inflater_ == nullptr) inflater_.reset(new (std::nothrow) Inflater(pool_, window_bits_max));
    if (inflater_ != nullptr && !inflater_->ready()) inflater_.reset();
    inflater = inflater_.get();
  }
  return inflater != nullptr && inflater->ready() ? inflater : nullptr;
}

detail::SocketRead Protocol::receive(detail::SocketEnd& end, std::string_view& message,
                                     bool& binary) noexcept {
  if (end.message_data != nullptr) {
    pool_.give({end.message_data, end.message_capacity_bytes});
    end.message_data = nullptr;
  }
  if (end.connection == nullptr) return detail::SocketRead::end;
  net::Connection& connection = *end.connection;
  Session& session = session_of(connection);
  if (!session.ready) {
    process_input(connection);
    settle(connection);
  }
  if (!session.ready)
    return session.over || session.close_sent ? detail::SocketRead::end : detail::SocketRead::wait;
  const mem::Block block = session.message.release(message);
  binary = session.opcode == Opcode::binary;
  end.message_data = block.data;
  end.message_capacity_bytes = block.capacity_bytes;
  session.ready = false;
  return detail::SocketRead::message;
}

detail::SocketWrite Protocol::send(detail::SocketEnd& end, std::string_view message, Opcode opcode) noexcept {
  if (!end.open || end.connection->aborting) return detail::SocketWrite::closed;
  net::Connection& connection = *end.connection;
  Published alone{message, opcode};
  const bool written = write_message(connection, alone);
  alone.compressed.clear(pool_);
  if (!written) return detail::SocketWrite::closed;
  settle(connection);
  return is_full(connection) ? detail::SocketWrite::wait : detail::SocketWrite::done;
}

bool Protocol::try_send(detail::SocketEnd& end, std::string_view message, Opcode opcode) noexcept {
  Published alone{message, opcode};
  const bool sent = offer(end, alone);
  alone.compressed.clear(pool_);
  return sent;
}

// Sends it where there is room.
bool Protocol::offer(detail::SocketEnd& end, Published& published) noexcept {
  if (!end.open || end.connection->aborting) return false;
  net::Connection& connection = *end.connection;
  const std::size_t unsent = connection.output.bytes();
  if (unsent != 0 && unsent + published.message.size() > end.options->output_bytes) return false;
  if (!write_message(connection, published)) return false;
  settle(connection);
  return true;
}

void Protocol::close(detail::SocketEnd& end, unsigned code, std::string_view reason) noexcept {
  if (!end.open) return;
  net::Connection& connection = *end.connection;
  const unsigned sent = may_be_sent(code) ? code : static_cast<unsigned>(CloseCode::failure);
  end_session(connection, static_cast<CloseCode>(sent), reason);
  settle(connection);
}

void Protocol::leave(detail::SocketEnd& end, CloseCode code) noexcept {
  if (end.message_data != nullptr) pool_.give({end.message_data, end.message_capacity_bytes});
  if (end.close_reason != nullptr) pool_.give({end.close_reason, reason_block_bytes});
  if (end.connection == nullptr) return;
  net::Connection& connection = *end.connection;
  Session& session = session_of(connection);
  end_session(connection, code, {});
  session.end = nullptr;
  session.ready = false;  // Nobody will take it: what follows is read for its close frame.
  session.message.clear(pool_);
  process_input(connection);
  settle(connection);
}

void Protocol::publish(detail::SocketEnd& end, Published& published) noexcept {
  if (!end.open || offer(end, published)) return;
  ++counters_.published_dropped;
  if (!end.open || !end.options->close_slow_subscribers) return;
  ++counters_.slow_closed;
  close(end, static_cast<unsigned>(CloseCode::try_later), "too slow");
}

}  // namespace millrace::ws
