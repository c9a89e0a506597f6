// says: a_prefix_of_routes_has_no_parameter_and_no_wildcard
#include <millrace/millrace.hpp>

void add(mr::App& app) {
#ifdef WRONG
  app.group("/users/{id}");
#else
  app.group("/users");
#endif
}
