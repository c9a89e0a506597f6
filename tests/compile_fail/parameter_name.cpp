// says: a_route_pattern_has_a_parameter_whose_name_is_no_identifier
#include <millrace/app.hpp>

void add(mr::App& app) {
#ifdef WRONG
  app.get("/{id:int}", [](int) { return ""; });
#else
  app.get("/{id_2}", [](int) { return ""; });
#endif
}
