// says: a handler takes the request by reference: mr::Request&
#include <millrace/app.hpp>

void add(mr::App& app) {
#ifdef WRONG
  app.get("/", [](mr::Request) { return ""; });
#else
  app.get("/", [](const mr::Request&) { return ""; });
#endif
}
