// session.hpp: the state of a WebSocket on one connection.
#pragma once

#include <millrace/detail/socket_end.hpp>
#include <millrace/websocket.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "engine/base/clock.hpp"
#include "engine/net/connection.hpp"
#include "engine/proto/ws/bytes.hpp"
#include "engine/proto/ws/deflate.hpp"
#include "engine/proto/ws/deflate_offer.hpp"
#include "engine/proto/ws/frame.hpp"

namespace millrace::ws {

/// In Connection::state.
struct Session {
  detail::SocketEnd* end = nullptr;  ///< The coroutine's; null once it has ended.
  const WebSocketOptions* options = nullptr;
  std::unique_ptr<Deflater> deflater;  ///< Where a context is kept; else the core's is used.
  std::unique_ptr<Inflater> inflater;

  // The message that is put together, or waits for the handler.
  Bytes message;
  std::size_t checked = 0;       ///< Bytes of a text that are known to be UTF-8.
  std::uint64_t frame_at = 0;    ///< Bytes of the frame under way that are in.
  std::uint64_t frame_left = 0;  ///< And that are not.
  std::uint32_t mask = 0;
  std::uint32_t fragments = 0;

  TimeNs heard = 0;                    ///< When bytes came last, or nothing was to be expected.
  TimeNs ping_deadline = time_never;   ///< A ping is out: when its answer must be here.
  TimeNs close_deadline = time_never;  ///< A close frame is out.
  TimeNs write_deadline = time_never;

  Opcode opcode = Opcode::text;  ///< Of the message.
  bool in_message : 1 = false;   ///< Its last frame has not begun, or not ended.
  bool in_frame : 1 = false;
  bool frame_fin : 1 = false;
  bool compressed : 1 = false;  ///< The message is.
  bool ready : 1 = false;       ///< The message is whole, and waits for the handler.
  bool deflate : 1 = false;     ///< Was agreed on.
  bool server_takeover : 1 = false;
  bool client_takeover : 1 = false;
  bool close_sent : 1 = false;
  bool over : 1 = false;      ///< Nothing is read any more.
  bool in_bytes : 1 = false;  ///< on_bytes() runs, and settles when it is through.
  std::uint8_t server_window_bits = window_bits_max;
};
static_assert(sizeof(Session) <= net::Connection::state_bytes);

inline Session& session_of(net::Connection& connection) noexcept {
  return *reinterpret_cast<Session*>(connection.state);
}

}  // namespace millrace::ws
