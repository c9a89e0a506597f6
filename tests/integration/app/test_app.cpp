// test_app.cpp: the handlers that the integration tests need, through the public headers alone.
#include <millrace/millrace.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
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

// --- Bodies in parts ---

/// `count` parts of `bytes` each; then, where `end` says so, a fault.
mr::Task<> stream(std::size_t count, std::size_t bytes, std::string_view end, mr::Request& request) {
  Guard guard;
  const bool declared = end == "declared" || end == "short" || end == "long";
  const std::string part(bytes, 'x');
  auto out = request.stream("text/plain", declared ? count * bytes : mr::length_unknown);
  for (std::size_t i = 0; i < count; ++i) {
    if (end == "short" && i + 1 == count) break;
    co_await out.write(part);
    if (end == "slow") co_await mr::sleep(std::chrono::milliseconds(20));
  }
  if (end == "long") co_await out.write("one too many");
  if (end == "throw") throw std::runtime_error("a secret of the handler");
  if (end == "trailer") out.trailer("X-Sum", std::to_string(count * bytes));
  if (end == "late-trailer") {
    out.end();
    out.trailer("X-Sum", "never seen");
  }
  if (end == "bad-trailer") out.trailer("Content-Length", "1");
  if (end == "header-trailer") out.trailer("Set-Cookie", "a=b");
  if (end == "injected-trailer") out.trailer("X-Sum", "1\r\nX-Injected: b");
  guard.finish();
}

mr::Task<> events(mr::Request& request) {
  Guard guard;
  auto events = request.events(std::chrono::milliseconds(100));
  int next = events.last_id().empty() ? 0 : std::stoi(std::string(events.last_id())) + 1;
  for (const int end = next + 3; next < end; ++next) {
    const std::string id = std::to_string(next);
    co_await events.send(
        {.data = "line\n" + id, .event = "count", .id = id, .retry = std::chrono::seconds(1)});
  }
  co_await mr::sleep(std::chrono::milliseconds(350));
  guard.finish();
}

/// How many bytes came, and their sum; slowly where asked to.
mr::Task<std::string> upload(mr::Request& request) {
  Guard guard;
  const bool slow = request.query() == "slow";
  std::uint64_t bytes = 0, sum = 0;
  while (auto part = co_await request.body().next()) {
    bytes += part->size();
    for (const char byte : *part) sum += static_cast<unsigned char>(byte);
    if (slow) co_await mr::sleep(std::chrono::milliseconds(1));
  }
  guard.finish();
  co_return std::to_string(bytes) + " " + std::to_string(sum) + " " +
      std::string(request.trailer("x-sum").value_or("-"));
}

mr::Task<> echo_parts(mr::Request& request) {
  auto out = request.stream("application/octet-stream");
  while (auto part = co_await request.body().next()) co_await out.write(*part);
}

mr::Task<std::string> whole(mr::Request& request) {
  const std::string_view body = co_await request.body().whole();
  co_return std::to_string(body.size()) + " " + std::string(body == request.body().view() ? "same" : "other");
}

mr::Task<std::string> careless(mr::Request& request) {
  co_await mr::yield();
  co_return std::string(request.body());
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

/// Each part of a form by its name: text whole, pieces one after the other, first its first piece, else nothing.
mr::Task<std::string> parts(mr::Request& request) {
  mr::Multipart form(request);
  std::string out;
  while (mr::Part* part = co_await form.next()) {
    const std::string name(part->name());
    out += name;
    if (name == "text") out += "=" + co_await part->text(10);
    if (name == "first") co_await part->read();
    if (name == "pieces") {
      std::size_t bytes = 0;
      while (const auto piece = co_await part->read()) bytes += piece->size();
      out += "=" + std::to_string(bytes);
    }
    out += " ";
  }
  co_return out;
}

/// "line 0\n"..., as many lines as are asked for.
std::string lines(std::int64_t count) {
  std::string text;
  for (std::int64_t line = 0; line < count; ++line) text += "line " + std::to_string(line) + "\n";
  return text;
}

void add_compressed(mr::App& app) {
  auto group = app.group("/compressed");
  group.use(mr::compress());
  group.get("/lines/{count}", [](std::int64_t count) {
    return mr::Response(lines(count)).header("ETag", "\"strong\"").header("Vary", "Origin");
  });
  group.get("/png/{count}",
            [](std::int64_t count) { return mr::Response().bytes(lines(count), "image/png"); });
  group.get("/kept/{name}/{value}", [](std::string_view name, std::string_view value) {
    return mr::Response(lines(1000)).header(name, value);
  });
  // Each line is written, and waited for, on its own.
  group.get("/stream/{count}/{ms}",
            [](std::int64_t count, std::int64_t ms, mr::Request& request) -> mr::Task<> {
              auto out = request.stream("text/plain");
              for (std::int64_t line = 0; line < count; ++line) {
                co_await out.write("line " + std::to_string(line) + "\n");
                if (ms != 0) co_await mr::sleep(std::chrono::milliseconds(ms));
              }
              out.trailer("X-Lines", std::to_string(count));
            });
  group.get("/declared/{bytes}/{written}",
            [](std::uint64_t bytes, std::uint64_t written, mr::Request& request) -> mr::Task<> {
              auto out = request.stream("text/plain", bytes);
              co_await out.write(std::string(written, 'x'));
            });
  group.post("/echo-parts", [](mr::Request& request) -> mr::Task<> {
    auto out = request.stream("text/plain");
    while (auto part = co_await request.body().next()) co_await out.write(*part);
  });
  group.post("/echo-whole", [](mr::Request& request) -> mr::Task<> {
    auto out = request.stream("text/plain");
    co_await out.write(co_await request.body().whole());
  });
  group.get("/events", [](mr::Request& request) -> mr::Task<> {
    auto events = request.events();
    co_await events.send({.data = lines(500)});
  });
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
  const auto peer = [](mr::Request& request) {
    return (request.secure() ? "secure " : "plain ") + request.client_certificate();
  };
  app.get("/peer", peer);
  app.get("/around/peer", peer, [](mr::Request&, mr::Reply&) {});
  app.post("/trailer", trailer);
  app.get("/stream/{count}/{bytes}/{end}", stream);
  app.get("/events", events);
  app.post("/upload", upload);
  app.post("/echo-parts", echo_parts);
  app.post("/whole", whole);
  app.post("/careless", careless);
  app.get("/nothing", []() -> mr::Task<> { co_return; });
  app.get("/no-coroutine", [](mr::Request& request) {
    request.stream("text/plain");
    return "never seen";
  });
  app.get("/twice", [](mr::Request& request) -> mr::Task<std::string> {
    co_await request.stream("text/plain").write("first");
    co_return "second";
  });
  app.post("/parts", parts);
  add_compressed(app);
  app.ws("/ws", [](mr::WebSocket& socket) -> mr::Task<> {
    while (auto message = co_await socket.receive()) co_await socket.send(*message);
  });
  return app.run(argc, argv);
}
