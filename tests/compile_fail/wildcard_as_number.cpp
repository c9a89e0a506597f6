// says: the_handler_takes_the_rest_of_the_path_as_something_else_than_a_string
#include <millrace/app.hpp>

void add(mr::App& app) {
#ifdef WRONG
  app.get("/static/*", [](int) { return ""; });
#else
  app.get("/static/*", [](std::string_view) { return ""; });
#endif
}
