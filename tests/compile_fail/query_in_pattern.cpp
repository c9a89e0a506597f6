// says: a_route_pattern_has_a_character_that_no_path_has
#include <millrace/app.hpp>

void add(mr::App& app) {
#ifdef WRONG
  app.get("/a?b={c}", [](int) { return ""; });
#else
  app.get("/a", [] { return ""; });
#endif
}
