#include "tests/sim/sim_app.hpp"

#include <millrace/millrace.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "engine/base/assert.hpp"
#include "engine/ext/files/source.hpp"
#include "engine/serve/app_state.hpp"
#include "engine/serve/dispatch.hpp"
#include "tests/sim/sim_request.hpp"

namespace millrace::test {

struct Pair {
  std::int64_t a;
  std::int64_t b;
};
struct Sum {
  std::int64_t sum;
};
MR_JSON(Pair, a, b)
MR_JSON(Sum, sum)

namespace {

using std::chrono::milliseconds;

/// Counts the coroutine that it lives in.
struct Alive {
  Alive() noexcept { ++live_counts().coroutines; }
  Alive(const Alive&) = delete;
  Alive& operator=(const Alive&) = delete;
  ~Alive() { --live_counts().coroutines; }
};

struct Thrown : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The text over and over.
class Repeated final : public proto::BodySource {
 public:
  explicit Repeated(std::string text) noexcept : text_(std::move(text)) { ++live_counts().sources; }
  Result<std::size_t> read(std::span<char> out) noexcept override {
    for (char& letter : out) letter = text_[at_++ % text_.size()];
    return out.size();
  }
  void release() noexcept override {
    --live_counts().sources;
    delete this;
  }

 private:
  std::string text_;
  std::uint64_t at_ = 0;
};

void start_source(void*, Request& request) noexcept {
  proto::Exchange& exchange = request.exchange();
  exchange.sink->reply(exchange, {.content_type = {},
                                  .fields = {},
                                  .body = {},
                                  .source = new Repeated(letters(26)),
                                  .source_bytes = std::stoull(std::string(request.parameter(0)))});
}

void start_coded_source(void*, Request& request) noexcept {
  const std::uint64_t size = std::stoull(std::string(request.parameter(0)));
  proto::Exchange& exchange = request.exchange();
  exchange.sink->reply(exchange, {.content_type = "text/plain",
                                  .fields = {},
                                  .body = {},
                                  .source = new Repeated(noise(size)),
                                  .source_bytes = size});
}

net::FileRef make_file() {
  const int descriptor = ::memfd_create("sim", MFD_CLOEXEC);
  const std::string text = letters(sim_file_bytes);
  MR_ASSERT(::pwrite(descriptor, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  net::FileFacts facts;
  MR_ASSERT(net::read_facts(descriptor, facts).ok());
  return {descriptor, facts};
}

void start_file(void*, Request& request) noexcept {
  static const net::FileRef file = make_file();
  const std::uint64_t size = std::stoull(std::string(request.parameter(1)));
  proto::Exchange& exchange = request.exchange();
  exchange.sink->reply(
      exchange, {.content_type = {},
                 .fields = {},
                 .body = {},
                 .source = files::make_source({file, std::stoull(std::string(request.parameter(0))), size}),
                 .source_bytes = size});
}

std::string with_sum(std::string_view body, Request& request) {
  std::string text(body);
  if (const auto sum = request.trailer("X-Sum")) text += *sum;
  return text;
}

void add_plain(App& app) {
  app.get("/n/{text}", [](std::string_view text) { return std::string(text); });
  app.get("/close/{text}", [](std::string_view text) { return Response(text).close(); });
  app.get("/letters/{bytes}", [](std::uint64_t bytes) { return letters(bytes); });
  app.get("/throw/{text}", [](std::string_view text) -> std::string { throw Thrown(std::string(text)); });
  app.get("/say", [](Request& request) {
    return request.query("what").value_or("nothing") + "|" +
           std::string(request.cookie("c").value_or("none"));
  });
  app.get("/fixed", mr::fixed("made at start"));
  app.post("/echo", [](Request& request) { return with_sum(request.body(), request); });
  app.post("/sum", [](Json<Pair> in) { return json(Sum{in.value.a + in.value.b}); });
  app.on_error<Thrown>([](const Thrown& thrown) { return std::string(thrown.what()); });
}

void add_coroutines(App& app) {
  app.get("/later/{ms}/{text}",
          [](std::int64_t ms, std::string_view text, Request& request) -> Task<std::string> {
            const Alive alive;
            co_await mr::sleep(milliseconds(ms));
            // All of them views of the request, which must have outlived the wait.
            co_return std::string(text) + "|" + std::string(request.path()) + "|" +
                std::string(request.header("X-Name").value_or("none"));
          });
  app.get("/forever/{text}", [](std::string_view) -> Task<std::string> {
    const Alive alive;
    for (;;) co_await mr::sleep(std::chrono::hours(1000));
  });
  app.get("/yield/{times}/{text}", [](std::int64_t times, std::string_view text) -> Task<std::string> {
    const Alive alive;
    for (; times > 0; --times) co_await mr::yield();
    co_return std::string(text);
  });
  app.post("/echo-later/{ms}", [](std::int64_t ms, Request& request) -> Task<std::string> {
    const Alive alive;
    co_await mr::sleep(milliseconds(ms));
    const std::string_view body = co_await request.body().whole();
    co_return with_sum(body, request);
  });
}

Task<> stream(std::string_view how, std::uint64_t bytes, std::uint64_t part, Request& request) {
  const Alive alive;
  const std::string text = letters(bytes);
  auto out = request.stream("text/plain", how == "length" ? bytes : length_unknown);
  while (how == "endless") co_await out.write(text);
  for (std::size_t at = 0; at < text.size(); at += part) {
    co_await out.write(std::string_view(text).substr(at, part));
    if (how == "slow") co_await mr::sleep(milliseconds(1));
  }
  if (how == "trailer") out.trailer("X-Sum", "t");
}

void add_streams(App& app) {
  app.get("/stream/{how}/{bytes}/{part}",
          [](std::string_view how, std::uint64_t bytes, std::uint64_t part, Request& request) -> Task<> {
            return stream(how, bytes, part, request);
          });
  app.get("/broken/{bytes}", [](std::uint64_t bytes, Request& request) -> Task<> {
    const Alive alive;
    const std::string text = letters(bytes);
    auto out = request.stream("text/plain");
    co_await out.write(text);
    throw Thrown("broken");
  });
  app.post("/parts", [](Request& request) -> Task<std::string> {
    const Alive alive;
    std::string text;
    while (const auto part = co_await request.body().next()) {
      text += *part;
      if (text.size() % 3 == 0) co_await mr::sleep(milliseconds(1));
    }
    co_return with_sum(text, request);
  });
  app.post("/both", [](Request& request) -> Task<> {
    const Alive alive;
    auto out = request.stream("text/plain");
    while (const auto part = co_await request.body().next()) co_await out.write(*part);
  });
  app.post("/drop", [](Request&) -> Task<std::string> {
    const Alive alive;
    co_return "dropped";
  });
}

/// "name=data;", or "name(filename)=data;".
Task<std::string> read_part(Part& part) {
  std::string text(part.name());
  if (part.is_file()) text.append("(").append(part.filename()).append(")");
  text += '=';
  while (const auto data = co_await part.read()) {
    text += *data;
    if (text.size() % 3 == 0) co_await mr::sleep(milliseconds(1));
  }
  co_return text + ';';
}

void add_forms(App& app) {
  app.post("/form", [](Request& request) -> Task<std::string> {
    const Alive alive;
    Multipart form(request);
    std::string text;
    while (Part* part = co_await form.next()) {
      if (part->name() != "skipped") text += co_await read_part(*part);
    }
    co_return text;
  });
}

void add_coded(App& app) {
  const CompressOptions options{.bytes_min = sim_coded_bytes_min};
  app.get(
      "/coded/whole/{bytes}", [](std::uint64_t bytes) { return noise(bytes); }, compress(options));
  app.get(
      "/coded/stream/{bytes}/{part}",
      [](std::uint64_t bytes, std::uint64_t part, Request& request) -> Task<> {
        const Alive alive;
        const std::string text = noise(bytes);
        auto out = request.stream("text/plain");
        for (std::size_t at = 0; at < text.size(); at += part)
          co_await out.write(std::string_view(text).substr(at, part));
      },
      compress(options));
  serve::AppState& state = serve::state_of(app);
  const std::string problem =
      state.add("GET", "/coded/source/{bytes}", {.start = start_coded_source}, "coded");
  MR_ASSERT(problem.empty());
  state.use_for_last(detail::make_middleware(compress(options)));
}

WebSocketOptions small_sockets() {
  WebSocketOptions options;
  options.message_bytes = sim_message_bytes_max;
  options.output_bytes = sim_socket_output_max;
  options.ping_ms = 1000;
  options.pong_ms = 1500;
  options.close_ms = 500;
  options.write_idle_ms = 2000;
  return options;
}

void add_sockets(App& app) {
  app.ws(
      "/ws/echo",
      [](WebSocket& socket) -> Task<> {
        const Alive alive;
        while (auto message = co_await socket.receive()) co_await socket.send(*message);
      },
      small_sockets());
  app.ws(
      "/ws/room/{client}",
      [](WebSocket& socket, std::uint64_t client) -> Task<> {
        const Alive alive;
        Live& live = live_counts();
        socket.subscribe("room");
        socket.subscribe("room");  // Once is enough.
        live.subscribed.at(client) = live.published.size();
        while (auto message = co_await socket.receive()) {
          const std::string text = std::to_string(live.published.size()) + ":" + std::to_string(client) +
                                   ":" + std::string(message->data);
          live.published.push_back({client, text});
          live.unheard += !publish("room", text);
        }
      },
      small_sockets());
  app.ws(
      "/ws/push/{count}/{bytes}",
      [](WebSocket& socket, std::uint64_t count, std::uint64_t bytes) -> Task<> {
        const Alive alive;
        const std::string message = letters(bytes);
        for (; count > 0; --count) co_await socket.send(message);
      },
      small_sockets());
}

/// The dispatch of an application, which counts what it starts.
class Counting final : public proto::RequestHandler {
 public:
  Counting() {
    add_plain(app_);
    add_coroutines(app_);
    add_streams(app_);
    add_forms(app_);
    add_coded(app_);
    add_sockets(app_);
    std::string problem = serve::state_of(app_).add("GET", "/source/{bytes}", {.start = start_source});
    MR_ASSERT(problem.empty());
    problem = serve::state_of(app_).add("GET", "/file/{first}/{bytes}", {.start = start_file});
    MR_ASSERT(problem.empty());
    dispatch_ = serve::Dispatch::build(serve::state_of(app_), problem);
    MR_ASSERT(dispatch_ != nullptr);
  }
  void route(proto::Exchange& exchange) noexcept override { dispatch_->route(exchange); }
  bool may_switch(const proto::Exchange& exchange) const noexcept override {
    return dispatch_->may_switch(exchange);
  }
  void start(proto::Exchange& exchange) noexcept override {
    const auto client = exchange.request.header("X-Client");
    if (client) ++live_counts().started.at(static_cast<std::size_t>(client->front() - '0'));
    live_counts().never += exchange.target.path == "/n/never";
    dispatch_->start(exchange);
  }
  void refuse(proto::Exchange& exchange, Error error) noexcept override {
    dispatch_->refuse(exchange, error);
  }

 private:
  App app_;
  std::unique_ptr<serve::Dispatch> dispatch_;
};

}  // namespace

Live& live_counts() noexcept {
  static Live counts;
  return counts;
}

proto::RequestHandler& sim_app() {
  static Counting application;
  return application;
}

std::string letters(std::uint64_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 26);
  return text;
}

std::string noise(std::uint64_t size) {
  std::string text(size, '\0');
  std::uint32_t state = 1;
  for (char& letter : text)
    letter = static_cast<char>('a' + ((state = state * 1664525 + 1013904223) >> 24) % 26);
  return text;
}

}  // namespace millrace::test
