// WebSockets: an echo, and a room whose members hear each other.
#include <millrace/millrace.hpp>

#include <string_view>

int main(int argc, char** argv) {
  mr::App app;
  app.ws("/echo", [](mr::WebSocket& socket) -> mr::Task<> {
    while (auto message = co_await socket.receive()) co_await socket.send(*message);
  });
  mr::WebSocketOptions options;
  options.message_bytes = 4096;
  options.origins = {"https://chat.example"};
  options.subprotocols = {"chat"};
  options.compress = true;
  app.ws(
      "/rooms/{name}",
      [](mr::WebSocket& socket, std::string_view name) -> mr::Task<> {
        socket.subscribe(name);
        while (auto message = co_await socket.receive()) mr::publish(name, *message);
        mr::publish(name, "somebody has left");
      },
      options);
  return app.run(argc, argv);
}
