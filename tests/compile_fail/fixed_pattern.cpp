// says: a_route_pattern_starts_with_a_slash
#include <millrace/app.hpp>

void add(mr::App& app) {
#ifdef WRONG
  app.get("a", mr::fixed("text"));
#else
  app.get("/a", mr::fixed("text"));
#endif
}
