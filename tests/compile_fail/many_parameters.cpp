// says: a_route_pattern_has_more_than_8_parameters
#include <millrace/app.hpp>

void add(mr::App& app) {
#ifdef WRONG
  app.get("/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}", [](mr::Request&) { return ""; });
#else
  app.get("/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}", [](mr::Request&) { return ""; });
#endif
}
