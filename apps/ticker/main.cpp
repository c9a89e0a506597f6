// A price that moves, sent to every page that watches: server-sent events, and a client that comes back goes on
// where it was.
#include <millrace/millrace.hpp>

#include <atomic>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "apps/ticker/page.hpp"

using namespace std::chrono_literals;

namespace {

struct Price {
  double value;
  int watching;
};
MR_JSON(Price, value, watching)

/// The same for everybody: a function of the tick alone.
double value_at(std::int64_t tick) {
  const auto t = static_cast<double>(tick);
  return std::round((100 + 8 * std::sin(t / 17) + 3 * std::sin(t / 5.3) + std::sin(t * 1.7)) * 100) / 100;
}

std::int64_t number_of(std::string_view text) {
  std::int64_t number = -1;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::atomic<int> watching;

struct Watcher {
  Watcher() { ++watching; }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  ~Watcher() { --watching; }
};

mr::Task<> prices(mr::Request& request) {
  const Watcher watcher;
  const mr::Events events = request.events();
  for (std::int64_t tick = number_of(events.last_id()) + 1;; ++tick) {
    const mr::Response data = mr::json(Price{value_at(tick), watching});
    co_await events.send({.data = data.body(), .event = "price", .id = std::to_string(tick)});
    co_await mr::sleep(250ms);
  }
}

}  // namespace

int main(int argc, char** argv) {
  mr::App app;
  app.get("/", mr::fixed(std::string(page), "text/html; charset=utf-8"));
  app.get("/prices", prices);
  return app.run(argc, argv);
}
