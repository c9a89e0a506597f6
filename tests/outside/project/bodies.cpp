// Bodies that are not held whole: an upload is summed as it comes, a long reply is made as it leaves.
#include <millrace/millrace.hpp>

#include <chrono>
#include <cstddef>
#include <string>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
  mr::App app;
  app.post("/size", [](mr::Request& request) -> mr::Task<std::string> {
    std::size_t bytes = 0;
    while (auto part = co_await request.body().next()) bytes += part->size();
    co_return std::to_string(bytes);
  });
  app.get("/lines/{count}", [](int count, mr::Request& request) -> mr::Task<> {
    auto out = request.stream("text/plain");
    for (int i = 0; i < count; ++i) co_await out.write(std::to_string(i) + "\n");
    out.trailer("X-Lines", std::to_string(count));
  });
  app.get("/ticks", [](mr::Request& request) -> mr::Task<> {
    auto events = request.events();
    for (int tick = 0;; ++tick) {
      co_await events.send({.data = std::to_string(tick), .event = "tick"});
      co_await mr::sleep(1s);
    }
  });
  return app.run(argc, argv);
}
