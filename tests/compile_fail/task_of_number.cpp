// says: a handler gives a text, an mr::Response
#include <millrace/app.hpp>

void add(mr::App& app) {
#ifdef WRONG
  app.get("/", []() -> mr::Task<int> { co_return 1; });
#else
  app.get("/", []() -> mr::Task<mr::Response> { co_return "x"; });
#endif
}
