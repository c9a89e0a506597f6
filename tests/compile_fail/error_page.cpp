// says: an error's page takes the exception
#include <millrace/app.hpp>

void add(mr::App& app) {
#ifdef WRONG
  app.on_error(404, [](int) { return ""; });
#else
  app.on_error(404, [](mr::Request&) { return ""; });
#endif
}
