// socket_end.hpp: the coroutine's end of a WebSocket, and what mr::WebSocket asks of the engine.
#pragma once

#include <millrace/detail/scope.hpp>
#include <millrace/namespace.hpp>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace millrace {

class Request;
struct WebSocketOptions;

namespace net {
struct Connection;
}
namespace ws {
class Protocol;
}
namespace serve {
struct Subscription;
}

namespace detail {

/// What the coroutine waits for.
enum class SocketWait : std::uint8_t { nothing, open, message, room };

/// Lives in the frame of the WebSocket's root coroutine; the connection points to it, and may end before.
struct SocketEnd {
  SocketEnd() = default;
  SocketEnd(const SocketEnd&) = delete;
  SocketEnd& operator=(const SocketEnd&) = delete;

  net::Connection* connection = nullptr;  ///< Null before it is handed over, and once it is gone.
  ws::Protocol* protocol = nullptr;       ///< Of the core; null where the handshake was refused.
  const WebSocketOptions* options = nullptr;
  Scope* scope = nullptr;
  serve::Subscription* subscriptions = nullptr;  ///< A list.
  const std::string* subprotocol = nullptr;      ///< Of the options; null where none was chosen.
  char* message_data = nullptr;                  ///< The block of the message that the handler has.
  char* close_reason = nullptr;                  ///< The peer's, in a block; null where it gave none.
  std::uint32_t message_capacity_bytes = 0;
  std::uint32_t subscription_count = 0;
  std::uint16_t close_code = 0;  ///< 0 while it is open.
  SocketWait waiting = SocketWait::nothing;
  bool open = false;      ///< Messages may be sent.
  bool told_end = false;  ///< receive() has given nothing.
  bool deflate = false;   ///< permessage-deflate was agreed on, in these terms:
  bool server_takeover = false, client_takeover = false;
  std::uint8_t server_window_bits = 15, client_window_bits = 15;
  std::uint8_t close_reason_bytes = 0;
};

struct SocketWaiter : Waiter {
  SocketEnd* end = nullptr;
};

enum class SocketRead : std::uint8_t { message, wait, end };
enum class SocketWrite : std::uint8_t { done, wait, closed };

/// Judges the handshake, and answers it: true where it was a 101, and the WebSocket opens in its turn.
bool socket_accept(Request& request, const WebSocketOptions& options, SocketEnd& end) noexcept;
/// Suspends until what `what` says, or the end.
void socket_await(SocketWaiter& waiter, std::coroutine_handle<> handle, SocketWait what) noexcept;
/// The message before is given back.
SocketRead socket_receive(SocketEnd& end, std::string_view& message, bool& binary) noexcept;
SocketWrite socket_send(SocketEnd& end, std::string_view message, bool binary) noexcept;
bool socket_try_send(SocketEnd& end, std::string_view message, bool binary) noexcept;
void socket_close(SocketEnd& end, unsigned code, std::string_view reason) noexcept;
void socket_subscribe(SocketEnd& end, std::string_view topic, bool on) noexcept;
/// The handler has ended; `what` (may be null) is what it threw. The end is not used afterwards.
void socket_finish(Request& request, SocketEnd& end, const char* what) noexcept;

}  // namespace detail
}  // namespace millrace
