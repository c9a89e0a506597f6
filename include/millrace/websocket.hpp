// websocket.hpp: WebSockets. Source: RFC 6455, RFC 7692.
//
//   app.ws("/ws", [](mr::WebSocket& socket) -> mr::Task<> {
//     while (auto message = co_await socket.receive()) co_await socket.send(*message);
//   });
//
// Thread      as any handler's coroutine: the core that accepted the connection, to its end.
// The peer    when it leaves, receive() gives nothing, once; every other co_await throws mr::Cancelled.
#pragma once

#include <millrace/detail/socket_end.hpp>
#include <millrace/namespace.hpp>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#ifdef __cpp_exceptions
#include <millrace/cancelled.hpp>
#endif

namespace millrace {

/// Of one route. Every limit has its unit in its name, and says what happens past it.
struct WebSocketOptions {
  std::size_t message_bytes = 1 << 20;   ///< Of a message received, expanded too (close 1009).
  std::size_t frame_bytes = 0;           ///< Of one of its frames (close 1009); 0: message_bytes.
  std::uint32_t fragments = 1024;        ///< Frames of a message (close 1009).
  std::size_t output_bytes = 64 * 1024;  ///< Unsent; past it send() waits, try_send() refuses, reading stops.
  std::uint32_t subscriptions = 64;      ///< Topics of one socket; past it subscribe() does nothing.

  std::uint32_t ping_ms = 30'000;        ///< After a silence this long the peer is pinged.
  std::uint32_t pong_ms = 20'000;        ///< A peer that stays silent this long after it is gone (1006).
  std::uint32_t close_ms = 5'000;        ///< How long a peer's answer to a close frame is waited for.
  std::uint32_t write_idle_ms = 30'000;  ///< A peer that does not read (1006).

  /// In the order of preference; the first that the client offers is chosen.
  std::vector<std::string> subprotocols = {};
  /// Pages that may connect: "https://example.org", or "*" for every one. Empty: pages of the host that
  /// they connect to. Programs that are no browsers send no Origin, and always may.
  std::vector<std::string> origins = {};

  /// permessage-deflate, for messages of compress_bytes or more.
  bool compress = false;
  std::size_t compress_bytes = 256;
  /// Keep what was sent before for reference: smaller messages, for up to 310 KiB a connection.
  bool context_takeover = false;
  std::uint8_t window_bits =
      15;  ///< 9 to 15: the memory of a context is in proportion to 2 to the power of it.

  /// What happens to a message of a topic that a subscriber has no room for: it is dropped for that
  /// subscriber, or the subscriber is closed (1013). Counted either way.
  bool close_slow_subscribers = false;
};

/// What a peer sent; valid until the next receive().
struct Message {
  std::string_view data;  ///< Of a text message: valid UTF-8.
  bool binary = false;
  operator std::string_view() const noexcept { return data; }
};

#ifdef __cpp_exceptions
namespace detail {

/// Before the handler: the 101 may wait for the replies before it.
class [[nodiscard]] SocketOpened {
 public:
  explicit SocketOpened(SocketEnd& end) noexcept { waiter_.end = &end; }
  bool await_ready() const {
    throw_if_cancelled();
    return waiter_.end->connection != nullptr;
  }
  void await_suspend(std::coroutine_handle<> handle) noexcept {
    socket_await(waiter_, handle, SocketWait::open);
  }
  void await_resume() const { throw_if_cancelled(); }

 private:
  SocketWaiter waiter_;
};

class [[nodiscard]] SocketReceive {
 public:
  explicit SocketReceive(SocketEnd& end) noexcept { waiter_.end = &end; }
  bool await_ready() {
    if (waiter_.end->told_end) throw Cancelled{};
    read_ = socket_receive(*waiter_.end, message_.data, message_.binary);
    return read_ != SocketRead::wait;
  }
  void await_suspend(std::coroutine_handle<> handle) noexcept {
    socket_await(waiter_, handle, SocketWait::message);
  }
  std::optional<Message> await_resume() {
    if (read_ == SocketRead::wait) read_ = socket_receive(*waiter_.end, message_.data, message_.binary);
    if (read_ == SocketRead::message) return message_;
    waiter_.end->told_end = true;
    return std::nullopt;
  }

 private:
  SocketWaiter waiter_;
  Message message_;
  SocketRead read_ = SocketRead::wait;
};

class [[nodiscard]] SocketSend {
 public:
  SocketSend(SocketEnd& end, Message message) noexcept : message_(message) { waiter_.end = &end; }
  bool await_ready() {
    throw_if_cancelled();
    const SocketWrite write = socket_send(*waiter_.end, message_.data, message_.binary);
    if (write == SocketWrite::closed) throw Cancelled{};
    return write == SocketWrite::done;
  }
  void await_suspend(std::coroutine_handle<> handle) noexcept {
    socket_await(waiter_, handle, SocketWait::room);
  }
  void await_resume() const { throw_if_cancelled(); }

 private:
  SocketWaiter waiter_;
  Message message_;
};

}  // namespace detail
#endif

/// Handed to a handler of App::ws(), and valid until its coroutine ends. A handler that ends closes with 1000,
/// one that throws with 1011.
class WebSocket {
 public:
  explicit WebSocket(detail::SocketEnd& end) noexcept : end_(&end) {}
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;

#ifdef __cpp_exceptions
  /// `co_await`: the next message, whole; nothing once there will be none: the peer has closed or is gone,
  /// the server drains, close() was called. Asked again then it throws Cancelled.
  detail::SocketReceive receive() noexcept { return detail::SocketReceive(*end_); }

  /// `co_await`: sends a message, and waits while more than output_bytes are unsent. Copies at once. A text must be
  /// UTF-8. Throws Cancelled where the socket is closed.
  detail::SocketSend send(Message message) noexcept { return {*end_, message}; }
  detail::SocketSend send(std::string_view text) noexcept { return {*end_, Message{text, false}}; }
  detail::SocketSend send_binary(std::string_view bytes) noexcept { return {*end_, Message{bytes, true}}; }
#endif

  /// Sends a message if nothing was unsent, or no more than output_bytes are with it; else does nothing: false.
  bool try_send(const Message& message) noexcept {
    return detail::socket_try_send(*end_, message.data, message.binary);
  }
  bool try_send(std::string_view text) noexcept { return detail::socket_try_send(*end_, text, false); }
  bool try_send_binary(std::string_view bytes) noexcept {
    return detail::socket_try_send(*end_, bytes, true);
  }

  /// Sends a close frame; nothing can be sent behind it. code: 1000 to 1014 but 1004 to 1006, or 3000 to 4999;
  /// any other is sent as 1011. reason: UTF-8, cut to 123 bytes.
  void close(unsigned code = 1000, std::string_view reason = {}) noexcept {
    detail::socket_close(*end_, code, reason);
  }

  /// Gets every message that is published to the topic, on whatever core, from now on.
  void subscribe(std::string_view topic) noexcept { detail::socket_subscribe(*end_, topic, true); }
  void unsubscribe(std::string_view topic) noexcept { detail::socket_subscribe(*end_, topic, false); }

  /// False once it is closed, by whichever side.
  bool open() const noexcept { return end_->open; }
  /// Why it ended, where it has: the peer's code, 1005 where it named none, 1006 where it is gone without a
  /// word; else the engine's own, or that of close(). 0 while it is open.
  unsigned close_code() const noexcept { return end_->close_code; }
  std::string_view close_reason() const noexcept { return {end_->close_reason, end_->close_reason_bytes}; }
  /// The one that was chosen; empty where none was.
  std::string_view subprotocol() const noexcept {
    return end_->subprotocol != nullptr ? std::string_view(*end_->subprotocol) : std::string_view();
  }
  /// Whether permessage-deflate was agreed on.
  bool compressed() const noexcept { return end_->deflate; }

 private:
  detail::SocketEnd* end_;
};

/// Sends a text to every subscriber of the topic, on every core of the server whose handler this is. Each core
/// gets one copy. Returns without waiting; false where another core's queue is full: those there miss it.
/// Only within a handler; from elsewhere it is Server::publish().
bool publish(std::string_view topic, std::string_view text) noexcept;
bool publish_binary(std::string_view topic, std::string_view bytes) noexcept;
/// The same, as what it came.
inline bool publish(std::string_view topic, const Message& message) noexcept {
  return message.binary ? publish_binary(topic, message.data) : publish(topic, message.data);
}

}  // namespace millrace
