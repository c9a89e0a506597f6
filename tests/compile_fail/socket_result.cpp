// says: a handler of a WebSocket is a coroutine: it gives an mr::Task<>
#include <millrace/app.hpp>

void add(mr::App& app) {
#ifdef WRONG
  app.ws("/", [](mr::WebSocket& socket) { socket.try_send("hello"); });
#else
  app.ws("/", [](mr::WebSocket& socket) -> mr::Task<> { co_await socket.send("hello"); });
#endif
}
