// says: a_route_pattern_names_a_parameter_twice
#include <millrace/app.hpp>

void add(mr::App& app) {
#ifdef WRONG
  app.get("/{a}/{a}", [](int, int) { return ""; });
#else
  app.get("/{a}/{b}", [](int, int) { return ""; });
#endif
}
