// says: the_handler_takes_fewer_parameters_than_the_route_pattern_has
#include <millrace/app.hpp>

#include <string_view>

void add(mr::App& app) {
#ifdef WRONG
  app.ws("/{room}/{name}", [](mr::WebSocket&, std::string_view) -> mr::Task<> { co_return; });
#else
  app.ws("/{room}", [](mr::WebSocket&, std::string_view) -> mr::Task<> { co_return; });
#endif
}
