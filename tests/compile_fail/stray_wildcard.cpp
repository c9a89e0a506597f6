// says: a_route_pattern_has_a_wildcard_that_is_not_its_whole_last_segment
#include <millrace/app.hpp>

void add(mr::App& app) {
#ifdef WRONG
  app.any("/*/a", [] { return ""; });
#else
  app.any("/a/*", [] { return ""; });
#endif
}
