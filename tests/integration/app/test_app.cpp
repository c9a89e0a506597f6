// test_app.cpp: the handlers that the integration tests need, through the public headers alone.
#include <millrace/millrace.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

std::atomic<std::int64_t> marks;      // Requests that left a mark.
std::atomic<std::int64_t> running;    // Coroutines under way,
std::atomic<std::int64_t> finished;   // those that came to their end,
std::atomic<std::int64_t> cancelled;  // and those whose client left.

/// Counts the coroutine it lives in.
class Guard {
 public:
  Guard() { ++running; }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() {
    ++(finished_ ? finished : cancelled);
    --running;
  }
  void finish() { finished_ = true; }

 private:
  bool finished_ = false;
};

mr::Task<std::string> answer_after(std::int64_t milliseconds, std::string answer) {
  Guard guard;
  co_await mr::sleep(std::chrono::milliseconds(milliseconds));
  guard.finish();
  co_return answer;
}

mr::Task<std::string> throw_later() {
  co_await mr::sleep(std::chrono::milliseconds(1));
  throw std::runtime_error("a secret of the handler");
}

std::string throw_now() { throw std::runtime_error("a secret of the handler"); }

mr::Response bad_header(std::string_view kind) {
  using namespace std::string_view_literals;
  mr::Response response("never seen");
  if (kind == "crlf") response.header("X-Bad", "a\r\nX-Injected: b");
  if (kind == "lf") response.header("X-Bad", "a\nX-Injected: b");
  if (kind == "cr") response.header("X-Bad", "a\rX-Injected: b");
  if (kind == "nul") response.header("X-Bad", "a\0b"sv);
  if (kind == "name") response.header("X-Bad: a\r\nX-Injected", "b");
  return response;
}

std::string counts() {
  return "running=" + std::to_string(running) + " finished=" + std::to_string(finished) +
         " cancelled=" + std::to_string(cancelled);
}

std::string host(mr::Request& request) {
  return std::string(request.host()) + " " + std::to_string(request.port());
}

/// Where a field of that name was seen: as a trailer, as a header.
std::string trailer(mr::Request& request) {
  return "trailer=" + std::string(request.trailer("x-sum").value_or("-")) +
         " header=" + std::string(request.header("x-sum").value_or("-")) +
         " host=" + std::string(request.header("host").value_or("-")) +
         " authorization=" + std::string(request.header("authorization").value_or("-"));
}

}  // namespace

int main(int argc, char** argv) {
  mr::App app;
  app.get("/", [] { return "hello"; });
  app.post("/echo", [](mr::Request& request) { return std::string(request.body()); });
  app.post("/mark", [] { return std::to_string(++marks); });
  app.get("/marks", [] { return std::to_string(marks); });
  app.get("/counts", counts);
  app.get("/fast/{number}", [](std::string_view number) { return std::string(number); });
  app.get("/slow/{ms}", [](std::int64_t milliseconds) { return answer_after(milliseconds, "slow"); });
  app.get("/order/{number}/{ms}", [](std::string_view number, std::int64_t milliseconds) {
    return answer_after(milliseconds, std::string(number));
  });
  app.get("/throw", throw_now);
  app.get("/throw-later", throw_later);
  app.get("/bad-header/{kind}", bad_header);
  app.get("/status/{status}", [](unsigned status) { return mr::Response("body").status(status); });
  app.get("/host", host);
  app.post("/trailer", trailer);
  return app.run(argc, argv);
}
