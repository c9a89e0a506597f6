// says: a_route_pattern_starts_with_a_slash
#include <millrace/app.hpp>

void add(mr::App& app) {
#ifdef WRONG
  app.get("items", [] { return ""; });
#else
  app.get("/items", [] { return ""; });
#endif
}
