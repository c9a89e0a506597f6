// Goal: where groups and mounted applications put their routes.
#include <doctest/doctest.h>
#include <millrace/millrace.hpp>

#include <string>

#include "tests/unit/serve/traced.hpp"

using namespace millrace;
using test::Traced;

TEST_CASE_FIXTURE(Traced, "mount: an application below a prefix keeps its middleware and its pages") {
  App inner;
  inner.use(mark('i'));
  inner.get("/", handler());
  inner.get(
      "/item/{id}", [](std::string_view id) { return std::string(id); }, mark('r'));
  inner.group("/deep").use(mark('d')).get("/x", handler());
  inner.on_error(404, [] { return "inner page"; });
  App innermost;
  innermost.get("/y", handler());
  inner.mount("/more", std::move(innermost));
  app.on_error(404, [] { return "outer page"; });
  app.on_error(405, [] { return "outer 405"; });
  app.use(mark('a'));
  app.mount("/in", std::move(inner));
  inner.get("/forgotten", handler());  // An application of its own again.

  CHECK(wait("GET /in").body == "body");
  CHECK(trace == "ai-IA");
  trace.clear();
  CHECK(wait("GET /in/item/7").body == "7");
  CHECK(trace == "airRIA");
  trace.clear();
  CHECK(wait("GET /in/deep/x").body == "body");
  CHECK(trace == "aid-DIA");
  trace.clear();
  CHECK(wait("GET /in/more/y").body == "body");
  CHECK(trace == "ai-IA");
  CHECK(wait("GET /in/none").body == "inner page");
  CHECK(wait("GET /in/more/none").body == "inner page");
  CHECK(wait("GET /none").body == "outer page");
  CHECK(wait("PUT /in/deep/x").body == "outer 405");
  CHECK(wait("GET /forgotten").status == 404);
}

TEST_CASE_FIXTURE(Traced, "mount: the logs of every application below are known to the server, each once") {
  const auto shared = access_log({.path = "shared.log"});
  App inner;
  inner.use(shared, access_log({.path = "inner.log"}));
  App innermost;
  innermost.use(access_log({.path = "innermost.log"}));
  inner.mount("/more", std::move(innermost));
  app.use(shared);
  app.mount("/in", std::move(inner));
  CHECK(serve::state_of(app).outputs().size() == 3);
}

TEST_CASE_FIXTURE(Traced, "groups: the route that a request sees has its whole pattern") {
  app.group("/api").group("/v1").get(
      "/items/{id}", [](Request& request) { return std::string(request.route()); }, mark('a'));
  CHECK(wait("GET /api/v1/items/7").body == "/api/v1/items/{id}");
  std::string problem;
  App clash;
  clash.get("/api/x", [] { return ""; });
  clash.group("/api").get("/x", [] { return ""; });
  CHECK(serve::Dispatch::build(serve::state_of(clash), problem) == nullptr);
  CHECK(problem == "two routes are for the same: GET /api/x");
}
