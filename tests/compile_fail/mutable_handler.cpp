// says: a handler is called by every core at once: its operator() must be const
#include <millrace/app.hpp>

void add(mr::App& app) {
#ifdef WRONG
  app.get("/", [n = 0]() mutable { return n++ == 0 ? "0" : "1"; });
#else
  app.get("/", [n = 0] { return n == 0 ? "0" : "1"; });
#endif
}
