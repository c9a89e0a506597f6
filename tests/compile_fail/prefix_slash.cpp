// says: a_prefix_of_routes_ends_without_a_slash
#include <millrace/millrace.hpp>

void add(mr::App& app) {
#ifdef WRONG
  app.group("/api/");
#else
  app.group("/api");
#endif
}
