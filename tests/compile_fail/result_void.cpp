// says: a handler gives a text, an mr::Response
#include <millrace/app.hpp>

void add(mr::App& app) {
#ifdef WRONG
  app.get("/", [] {});
#else
  app.get("/", [] { return mr::Response(); });
#endif
}
