// A room where every page hears what any of them says, whatever core serves it: WebSockets that subscribe to a topic.
#include <millrace/millrace.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>

#include "apps/chat/page.hpp"

namespace {

constexpr std::string_view room = "room";
constexpr std::size_t name_bytes_max = 24;

struct Line {
  std::string name;
  std::string text;
  int present;
};
MR_JSON(Line, name, text, present)

std::atomic<int> present;

void say(std::string_view name, std::string_view text) {
  const mr::Response line = mr::json(Line{std::string(name), std::string(text), present});
  mr::publish(room, line.body());
}

/// Says who comes, and who goes, however that happens.
class Visit {
 public:
  explicit Visit(std::string name) : name_(std::move(name)) {
    ++present;
    say(name_, "");
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  ~Visit() {
    --present;
    say("", name_ + " has left");
  }

 private:
  std::string name_;
};

mr::Task<> chat(mr::WebSocket& socket) {
  auto first = co_await socket.receive();  // The name.
  if (!first || first->data.empty() || first->data.size() > name_bytes_max) {
    socket.close(1008, "a name has 1 to 24 bytes");
    co_return;
  }
  const std::string name(first->data);
  socket.subscribe(room);
  const Visit visit(name);
  for (;;) {
    const auto message = co_await socket.receive();
    if (!message) co_return;
    if (!message->binary && !message->data.empty()) say(name, *message);
  }
}

}  // namespace

int main(int argc, char** argv) {
  mr::App app;
  app.get("/", mr::fixed(std::string(page), "text/html; charset=utf-8"));
  app.ws("/chat", chat, {.message_bytes = 4096, .compress = true});
  return app.run(argc, argv);
}
