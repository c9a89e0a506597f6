// websocket.cpp: what mr::WebSocket asks, between the public headers and the core's ws::Protocol.
#include <millrace/detail/bridge.hpp>
#include <millrace/websocket.hpp>

#include <array>

#include "engine/base/assert.hpp"
#include "engine/proto/exchange.hpp"
#include "engine/proto/ws/deflate_offer.hpp"
#include "engine/proto/ws/handshake.hpp"
#include "engine/serve/answer.hpp"
#include "engine/serve/app_state.hpp"
#include "engine/serve/scheduler.hpp"
#include "engine/serve/websockets.hpp"

namespace millrace {
namespace {

constexpr std::string_view upgrade_fields = "Upgrade: websocket\r\nConnection: Upgrade\r\n";

serve::WebSockets& of_this_core() noexcept {
  const serve::Scheduler* scheduler = serve::Scheduler::current();
  MR_ASSERT(scheduler != nullptr && scheduler->websockets != nullptr);  // Only within a handler.
  return *scheduler->websockets;
}

void refuse(proto::Exchange& exchange, const serve::Failure& failure) noexcept {
  serve::answer_error(exchange, *static_cast<const serve::Route*>(exchange.route)->state, failure);
}

/// Answers where there is a fault; else gives the client's key.
bool judge(proto::Exchange& exchange, const WebSocketOptions& options, std::string_view& key) noexcept {
  switch (ws::judge_handshake(exchange.head, exchange.framing, key)) {
    case ws::HandshakeFault::none: break;
    case ws::HandshakeFault::no_upgrade:
      refuse(exchange, {.status = 426, .fields = upgrade_fields});
      return false;
    case ws::HandshakeFault::bad_version: {
      std::array<char, 96> fields;
      std::size_t size = upgrade_fields.copy(fields.data(), fields.size());
      size +=
          std::string_view("Sec-WebSocket-Version: 13\r\n").copy(fields.data() + size, fields.size() - size);
      refuse(exchange, {.status = 426, .fields = {fields.data(), size}});
      return false;
    }
    case ws::HandshakeFault::bad_key: refuse(exchange, {.status = 400, .close = true}); return false;
  }
  if (ws::origin_allowed(exchange.head, exchange.framing.host, options.origins)) return true;
  refuse(exchange, {.status = 403});
  return false;
}

/// The fields of the 101, and what was agreed on.
std::string accept_fields(const proto::Exchange& exchange, const WebSocketOptions& options,
                          std::string_view key, detail::SocketEnd& end) {
  const std::array<char, 28> accept = ws::accept_key(key);
  std::string fields(upgrade_fields);
  fields.append("Sec-WebSocket-Accept: ").append(accept.data(), accept.size()).append("\r\n");
  end.subprotocol = ws::choose_subprotocol(exchange.head, options.subprotocols);
  if (end.subprotocol != nullptr) {
    fields.append("Sec-WebSocket-Protocol: ").append(*end.subprotocol).append("\r\n");
  }
  if (!options.compress) return fields;
  const ws::DeflateWish wish{.window_bits = options.window_bits, .takeover = options.context_takeover};
  if (const auto terms = ws::choose_deflate(exchange.head, wish)) {
    std::array<char, ws::terms_bytes_max> text;
    fields.append("Sec-WebSocket-Extensions: ").append(ws::write_terms(text.data(), *terms)).append("\r\n");
    end.deflate = true;
    end.server_takeover = terms->server_takeover;
    end.client_takeover = terms->client_takeover;
    end.server_window_bits = terms->server_window_bits;
    end.client_window_bits = terms->client_window_bits;
  }
  return fields;
}

ws::Opcode opcode_of(bool binary) noexcept { return binary ? ws::Opcode::binary : ws::Opcode::text; }

}  // namespace

bool publish(std::string_view topic, std::string_view text) noexcept {
  return of_this_core().publish(topic, text, ws::Opcode::text);
}

bool publish_binary(std::string_view topic, std::string_view bytes) noexcept {
  return of_this_core().publish(topic, bytes, ws::Opcode::binary);
}

namespace detail {

bool socket_accept(Request& request, const WebSocketOptions& options, SocketEnd& end) noexcept {
  proto::Exchange& exchange = request.exchange();
  std::string_view key;
  if (!judge(exchange, options, key)) return false;
  end.protocol = &of_this_core().protocol;
  end.options = &options;
  end.scope = &exchange.scope;
  const std::string fields = accept_fields(exchange, options, key, end);
  if (exchange.streams->switch_protocols(exchange, fields, *end.protocol, &end)) return true;
  refuse(exchange,
         {.status = 503, .fields = "Retry-After: 1\r\n"});  // The server drains, or the client closes.
  return false;
}

void socket_await(SocketWaiter& waiter, std::coroutine_handle<> handle, SocketWait what) noexcept {
  waiter.end->waiting = what;
  waiter.cancel = [](Waiter& self) noexcept {
    static_cast<SocketWaiter&>(self).end->waiting = SocketWait::nothing;
  };
  serve::Scheduler::current()->suspend(waiter, handle);
}

SocketRead socket_receive(SocketEnd& end, std::string_view& message, bool& binary) noexcept {
  return end.protocol->receive(end, message, binary);
}

SocketWrite socket_send(SocketEnd& end, std::string_view message, bool binary) noexcept {
  return end.protocol->send(end, message, opcode_of(binary));
}

bool socket_try_send(SocketEnd& end, std::string_view message, bool binary) noexcept {
  return end.protocol->try_send(end, message, opcode_of(binary));
}

void socket_close(SocketEnd& end, unsigned code, std::string_view reason) noexcept {
  end.protocol->close(end, code, reason);
}

void socket_subscribe(SocketEnd& end, std::string_view topic, bool on) noexcept {
  serve::Topics& topics = of_this_core().topics;
  if (on) {
    topics.subscribe(end, topic);
  } else {
    topics.unsubscribe(end, topic);
  }
}

void socket_finish(Request& request, SocketEnd& end, const char* what) noexcept {
  if (what != nullptr) serve::log_failure(request.exchange(), what);
  if (end.protocol == nullptr) {  // No handshake was judged good.
    if (what != nullptr && !request.exchange().replied) reply_failed(request, nullptr);
    return;
  }
  of_this_core().topics.leave(end);
  end.protocol->leave(end, what != nullptr ? ws::CloseCode::failure : ws::CloseCode::normal);
}

}  // namespace detail
}  // namespace millrace
