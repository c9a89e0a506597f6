// says: a handler is a function, or an object with one operator() that is no template
#include <millrace/app.hpp>

void add(mr::App& app) {
#ifdef WRONG
  app.get("/", "text");
#else
  app.get("/", mr::fixed("text"));
#endif
}
