// says: a_route_pattern_has_a_brace_where_no_whole_segment_is_a_parameter
#include <millrace/app.hpp>

void add(mr::App& app) {
#ifdef WRONG
  app.get("/x{id}", [](int) { return ""; });
#else
  app.get("/{id}", [](int) { return ""; });
#endif
}
