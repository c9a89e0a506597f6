// says: the_handler_takes_fewer_parameters_than_the_route_pattern_has
#include <millrace/app.hpp>

void add(mr::App& app) {
#ifdef WRONG
  app.get("/items/{id}", [] { return ""; });
#else
  app.get("/items/{id}", [](mr::Request&) { return ""; });
#endif
}
