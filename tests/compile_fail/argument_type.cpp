// says: a handler's arguments are path parameters
#include <millrace/app.hpp>

void add(mr::App& app) {
#ifdef WRONG
  app.get("/{a}", [](const char*) { return ""; });
#else
  app.get("/{a}", [](std::string) { return ""; });
#endif
}
