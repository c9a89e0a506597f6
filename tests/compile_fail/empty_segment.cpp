// says: a_route_pattern_has_an_empty_segment
#include <millrace/app.hpp>

void add(mr::App& app) {
#ifdef WRONG
  app.get("/a//b", [] { return ""; });
#else
  app.get("/a/b/", [] { return ""; });
#endif
}
