// says: the_handler_takes_more_parameters_than_the_route_pattern_has
#include <millrace/app.hpp>

void add(mr::App& app) {
#ifdef WRONG
  app.get("/{a}/*", [](int, std::string_view, std::string_view) { return ""; });
#else
  app.get("/{a}/*", [](int, std::string_view) { return ""; });
#endif
}
