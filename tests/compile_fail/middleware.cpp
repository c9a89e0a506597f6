// says: middleware takes (mr::Request&), (mr::Request&, mr::Reply&), or (mr::Request&, mr::Next)
#include <millrace/millrace.hpp>

void add(mr::App& app) {
#ifdef WRONG
  app.use([](int) {});
#else
  app.use([](mr::Request&) {});
#endif
}
