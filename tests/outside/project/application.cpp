#include <millrace/millrace.hpp>

int main(int argc, char** argv) {
  mr::App app;
  app.get("/", [] { return "Hello world!"; });
  app.get("/add/{a}/{b}", [](std::int64_t a, std::int64_t b) { return std::to_string(a + b); });
  app.post("/echo", [](mr::Request& request) { return std::string(request.body()); });
  app.get("/later", []() -> mr::Task<std::string> {
    co_await mr::sleep(std::chrono::milliseconds(100));
    co_return "served without holding up anybody\n";
  });
  return app.run(argc, argv);
}
