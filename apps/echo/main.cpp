// Answers a request with its own body, for tests of the protocol.
//
//   GET /       hello
//   POST /echo  the body, with its own Content-Type
//   GET /ws     a WebSocket that echoes, compressed where the client likes
//   --any       in place of both: every path and method: the body, or OK where it is empty
#include <millrace/millrace.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace {

mr::Response echo(mr::Request& request) {
  return mr::Response().bytes(std::string(request.body()),
                              request.header("Content-Type").value_or("application/octet-stream"));
}

mr::Task<> echo_messages(mr::WebSocket& socket) {
  for (;;) {
    const auto message = co_await socket.receive();
    if (!message) co_return;
    co_await socket.send(*message);
  }
}

/// Removes the flag from the arguments; true where it was there.
bool take_flag(int& argc, char** argv, std::string_view flag) {
  char** const end = std::remove(argv + 1, argv + argc, flag);
  const bool found = end != argv + argc;
  argc = static_cast<int>(end - argv);
  return found;
}

}  // namespace

int main(int argc, char** argv) {
  mr::App app;
  if (take_flag(argc, argv, "--any")) {
    app.any("/*",
            [](mr::Request& request) { return request.body().empty() ? mr::Response("OK") : echo(request); });
  } else {
    app.get("/", [] { return "hello"; });
    app.post("/echo", echo);
    // Roomy, for conformance suites: messages of 16 MiB, also in fragments of 64 bytes.
    app.ws("/ws", echo_messages, {.message_bytes = 16 << 20, .fragments = 1 << 18, .compress = true});
  }
  return app.run(argc, argv);
}
