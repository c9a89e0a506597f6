// socket_app.cpp: the WebSockets that the integration tests need, through the public headers alone.
#include <millrace/millrace.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

using namespace std::chrono_literals;

namespace {

std::atomic<int> live;

struct Guard {
  Guard() { ++live; }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() { --live; }
};

mr::Task<> echo(mr::WebSocket& socket) {
  const Guard guard;
  while (auto message = co_await socket.receive()) co_await socket.send(*message);
}

/// What the handler sees of its request, and of what was agreed on.
mr::Task<> describe(mr::WebSocket& socket, std::string_view name, mr::Request& request) {
  co_await socket.send(std::string(name) + " " + std::string(request.query()) + " [" +
                       std::string(socket.subprotocol()) + "]" + (socket.compressed() ? " compressed" : ""));
  co_await socket.receive();
}

/// Those in the room, whatever their core, get what any of them says.
mr::Task<> room(mr::WebSocket& socket, std::string_view name) {
  const Guard guard;
  socket.subscribe(name);
  co_await socket.send("in " + std::string(name));
  while (auto message = co_await socket.receive()) {
    mr::publish(name, *message);
    if (message->data == "I leave") socket.unsubscribe(name);
  }
}

mr::Task<> flood(mr::WebSocket& socket) {
  const Guard guard;
  const std::string message(16 * 1024, 'f');
  for (;;) co_await socket.send_binary(message);
}

mr::Task<> goodbye(mr::WebSocket& socket) {
  const auto message = co_await socket.receive();
  socket.close(4002, message ? message->data : "");
}

/// Still speaks when the time limit of its request is long over.
mr::Task<> outlast(mr::WebSocket& socket) {
  co_await socket.send("begun");
  co_await mr::sleep(300ms);
  co_await socket.send("still here");
  co_await socket.receive();
}

std::atomic<unsigned> seen_around;

/// A coroutine around a socket: goes on when the socket has ended, and sees what began it.
mr::Task<mr::Response> around(mr::Request&, mr::Next next) {
  mr::Response response = co_await next();
  seen_around = response.status();
  co_return response;
}

std::atomic<int> switched;

/// Around sockets: who has no pass stays outside, and who was inside is counted when he has left.
struct Doorman {
  std::optional<mr::Response> before(mr::Request& request) const {
    if (request.header("x-pass") == "yes") return std::nullopt;
    return mr::Response("no pass\n").status(403);
  }
  void done(mr::Request& request, const mr::Outcome& outcome) const {
    if (outcome.status == 101 && request.path() == "/guarded/describe/me") ++switched;
  }
};

mr::WebSocketOptions tight() {
  mr::WebSocketOptions options;
  options.message_bytes = 1024;
  options.frame_bytes = 512;
  options.fragments = 4;
  options.compress = true;
  return options;
}

mr::WebSocketOptions hasty() {
  mr::WebSocketOptions options;
  options.ping_ms = 200;
  options.pong_ms = 200;
  options.write_idle_ms = 500;
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  mr::App app;
  app.get("/live", [] { return std::to_string(live); });
  app.get("/say/{room}/{text}", [](std::string_view name, std::string_view text) {
    return mr::publish(name, text) ? "said" : "full";
  });
  app.ws("/echo", echo);
  app.ws("/describe/{name}", describe, {.subprotocols = {"v2.chat", "chat"}, .compress = true});
  app.ws("/origin", echo, {.origins = {"https://good.example"}});
  app.ws("/deflate", echo, {.message_bytes = 16 << 20, .compress = true, .compress_bytes = 1});
  app.ws("/takeover", echo,
         {.message_bytes = 16 << 20, .compress = true, .compress_bytes = 1, .context_takeover = true});
  app.ws("/small-window", echo,
         {.compress = true, .compress_bytes = 1, .context_takeover = true, .window_bits = 10});
  app.ws("/tight", echo, tight());
  app.ws("/hasty", echo, hasty());
  app.ws("/flood", flood, hasty());
  app.ws("/goodbye", goodbye);
  app.ws("/throw", [](mr::WebSocket& socket) -> mr::Task<> {
    co_await socket.receive();
    throw 1;
  });
  app.ws("/room/{name}", room);
  app.ws("/room/{name}/compressed", room, {.compress = true, .compress_bytes = 1});
  app.ws("/room/{name}/takeover", room, {.compress = true, .compress_bytes = 1, .context_takeover = true});
  app.ws("/room/{name}/small-window", room, {.compress = true, .compress_bytes = 1, .window_bits = 10});
  app.group("/timed").use(mr::timeout(50ms)).ws("/outlast", outlast);
  app.group("/around").use(around).ws("/echo", echo);
  app.get("/seen-around", [] { return std::to_string(seen_around); });
  app.get("/switched", [] { return std::to_string(switched); });
  app.group("/guarded")
      .use([](mr::Request&, mr::Reply& reply) { reply.header("X-Seen", "yes"); }, Doorman())
      .ws("/describe/{name}", describe, {.compress = true});
  return app.run(argc, argv);
}
