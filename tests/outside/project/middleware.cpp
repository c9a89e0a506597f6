#include <millrace/millrace.hpp>

#include <chrono>
#include <optional>
#include <string>

using namespace std::chrono_literals;

mr::Task<mr::Response> timed(mr::Request& request, mr::Next next) {
  if (request.query() == "busy") co_return mr::Response("come back later").status(503);
  mr::Response response = co_await next();
  response.header("X-Inner-Status", std::to_string(response.status()));
  co_return response;
}

int main(int argc, char** argv) {
  mr::App app;
  app.use(mr::access_log(), mr::request_id(), mr::security_headers());
  app.get("/", [] { return "Hello world!"; });

  mr::Group api = app.group("/api").use(mr::cors({.origins = {"https://example.org"}}), mr::timeout(5s));
  api.use([](mr::Request& request) -> std::optional<mr::Response> {
    if (request.header("X-Key") == "open sesame") return std::nullopt;
    return mr::Response("no key, no entry").status(403);
  });
  api.get(
      "/items/{id}", [](std::string_view id) { return std::string(id); }, timed);
  api.post(
      "/items", [](mr::Request& request) { return std::string(request.body()); }, mr::body_limit(64 << 10),
      mr::rate_limit({.per_second = 5, .burst = 10}));
  api.get(
      "/report", [] { return "42"; },
      [](mr::Request&, mr::Reply& reply) { reply.set_header("Cache-Control", "max-age=60"); });

  app.host("admin.example.org").get("/", [] { return "for admins"; });
  return app.run(argc, argv);
}
