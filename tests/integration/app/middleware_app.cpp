// middleware_app.cpp: middleware of every kind around handlers of every kind, for middleware_test.py.
#include <millrace/millrace.hpp>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;

namespace {

mr::Task<mr::Response> around(mr::Request& request, mr::Next next) {
  co_await mr::sleep(1ms);
  if (request.query() == "stop") co_return mr::Response("stopped").status(403);
  mr::Response response = co_await next();
  response.header("X-Around", std::to_string(response.status()));
  co_return response;
}

mr::Task<> stream(mr::Request& request) {
  auto out = request.stream("text/plain");
  for (int i = 0; i < 1000; ++i) co_await out.write("0123456789");
}

mr::Task<std::string> count_body(mr::Request& request) {
  std::size_t bytes = 0;
  while (auto part = co_await request.body().next()) bytes += part->size();
  co_return std::to_string(bytes);
}

mr::Task<std::string> wait_long() {
  co_await mr::sleep(1h);
  co_return "never";
}

}  // namespace

int main(int argc, char** argv) {
  mr::App app;
  if (const char* log = std::getenv("MIDDLEWARE_LOG"))
    app.use(mr::access_log({.path = log, .format = mr::LogFormat::json}));
  app.use(mr::request_id(), mr::security_headers());
  app.get("/", [] { return "Hello world!"; });
  app.get("/fixed", mr::fixed("fixed"));
  app.get("/throw", []() -> std::string { throw std::runtime_error("a secret"); });
  app.get("/stream", stream);
  app.get(
      "/injected", [] { return "never seen"; },
      [](mr::Request&, mr::Reply& reply) { reply.header("X-Bad", "a\r\nX-Injected: b"); });
  app.get("/injected-stream", stream,
          [](mr::Request&, mr::Reply& reply) { reply.header("X-Bad", "a\r\nX-Injected: b"); });

  app.get("/replaced-stream", stream, [](mr::Request&, mr::Reply& reply) { reply.body("another"); });

  mr::Group slow = app.group("/around").use(around);
  slow.get("/text", [] { return "text"; });
  slow.get("/stream", stream);
  slow.post("/count", count_body);

  mr::Group api = app.group("/api").use(mr::cors({.origins = {"https://page.example"}}));
  api.get("/items", [] { return "[]"; });
  app.get(
      "/limited", [] { return "let in"; }, mr::rate_limit({.per_second = 0.01, .burst = 2}));
  app.get(
      "/admin", [] { return "secret"; },
      mr::basic_auth("admin", [](std::string_view name, std::string_view password) {
        return name == "ada" && mr::same_secret(password, "lovelace");
      }));
  app.get("/wait", wait_long);
  app.get("/late", wait_long, mr::timeout(100ms));
  app.get(
      "/late-stream",
      [](mr::Request& request) -> mr::Task<> {
        auto out = request.stream("text/plain");
        co_await out.write("begun");
        co_await mr::sleep(1h);
      },
      mr::timeout(200ms));
  app.post(
      "/small", [](mr::Request& request) { return std::string(request.body()); }, mr::body_limit(10));
  app.post("/small-parts", count_body, mr::body_limit(10));

  app.host("other.test").get("/", [] { return "other"; });
  app.host("*.other.test").get("/", [] { return "below"; });
  return app.run(argc, argv);
}
