// says: what runs before a handler gives nothing, or a std::optional<mr::Response>
#include <millrace/millrace.hpp>

void add(mr::App& app) {
#ifdef WRONG
  app.use([](mr::Request&) { return "no"; });
#else
  app.use([](mr::Request&) -> std::optional<mr::Response> { return "no"; });
#endif
}
