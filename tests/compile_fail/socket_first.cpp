// says: a handler of a WebSocket takes an mr::WebSocket& first
#include <millrace/app.hpp>

#include <string_view>

void add(mr::App& app) {
#ifdef WRONG
  app.ws("/{name}", [](std::string_view, mr::WebSocket&) -> mr::Task<> { co_return; });
#else
  app.ws("/{name}", [](mr::WebSocket&, std::string_view) -> mr::Task<> { co_return; });
#endif
}
