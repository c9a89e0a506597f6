// Goal: what middleware sees of a reply, whatever made it, and what it may change of it.
#include <doctest/doctest.h>
#include <millrace/millrace.hpp>

#include <stdexcept>
#include <string>

#include "tests/unit/serve/traced.hpp"

using namespace millrace;
using test::Answer;
using test::RequestText;
using test::Traced;

TEST_CASE_FIXTURE(Traced, "middleware: changes what goes out, whatever made it") {
  app.use([](Request&, Reply& reply) {
    reply.header("X-Was", std::to_string(reply.status()) + " " + std::string(reply.body().substr(0, 3)));
    reply.status(299).content_type("a/b").set_header("X-Own", "new").body("changed");
  });
  app.get("/text", [] { return "text"; });
  app.get("/response", [] { return Response("r").status(201).header("X-Own", "1").header("x-own", "2"); });
  app.get("/fixed", fixed(Response("f").header("X-Own", "1")));
  app.get("/task", task());
  app.get("/throws", []() -> std::string { throw std::runtime_error("secret"); });
  const test::StderrCapture quiet;
  struct Case {
    const char* line;
    const char* was;
  };
  for (const Case& c :
       {Case{"GET /text", "200 tex"}, Case{"GET /response", "201 r"}, Case{"GET /fixed", "200 f"},
        Case{"GET /task", "200 bod"}, Case{"GET /throws", "500 500"}, Case{"GET /none", "404 404"},
        Case{"POST /text", "405 405"}}) {
    CAPTURE(c.line);
    const Answer answer = wait(c.line);
    CHECK(answer.status == 299);
    CHECK(answer.content_type == "a/b");
    CHECK(answer.fields.ends_with("X-Was: " + std::string(c.was) + "\r\nX-Own: new\r\n"));
    CHECK(answer.body == "changed");
    CHECK(answer.fields.find("X-Own: 1") == std::string::npos);
  }
}

TEST_CASE_FIXTURE(Traced, "middleware: the field Content-Type is the type of the reply") {
  app.get(
      "/", [] { return "text"; }, [](Request&, Reply& reply) { reply.header("content-TYPE", "a/b"); });
  const Answer answer = wait("GET /");
  CHECK(answer.content_type == "a/b");
  CHECK(answer.fields == "");
}

TEST_CASE_FIXTURE(Traced,
                  "middleware: what fails behind the handler makes it a 500, with nothing of the reply") {
  app.get("/throws", handler(), mark('a'), [](Request&, Reply& reply) {
    reply.header("X-Secret", "1");
    throw std::runtime_error("why");
  });
  app.get("/invalid", handler(), mark('a'),
          [](Request&, Reply& reply) { reply.header("X-Bad", "a\r\nX-Evil: b"); });
  app.get("/status", handler(), mark('a'), [](Request&, Reply& reply) { reply.status(99); });
  app.get("/type", handler(), mark('a'), [](Request&, Reply& reply) { reply.content_type("a\nb"); });
  app.get("/length", handler(), mark('a'),
          [](Request&, Reply& reply) { reply.header("Content-Length", "1"); });
  app.get("/slow", task(), slow('a'), [](Request&, Reply& reply) { reply.header("bad name", ""); });
  app.get("/much", handler(), mark('a'),
          [](Request&, Reply& reply) { reply.header("X-Much", std::string(40'000, 'x')); });
  app.get("/much-type", handler(), mark('a'),
          [](Request&, Reply& reply) { reply.content_type(std::string(40'000, 'x')); });
  test::StderrCapture captured;
  for (const char* line : {"GET /throws", "GET /invalid", "GET /status", "GET /type", "GET /length",
                           "GET /slow", "GET /much", "GET /much-type"}) {
    CAPTURE(line);
    trace.clear();
    const Answer answer = wait(line);
    CHECK(answer.status == 500);
    CHECK(answer.body == "500 Internal Server Error\n");
    CHECK(answer.fields == "");
    CHECK(trace == "a-A");
  }
  CHECK(captured.text().starts_with("millrace: GET /throws: why\n"));
}

TEST_CASE_FIXTURE(Traced, "middleware: a Reply finds, adds, replaces and removes fields") {
  app.get(
      "/", [] { return Response("x").header("A", "1").header("Bb", "").header("a", "2").header("C", "3"); },
      [](Request&, Reply& reply) {
        CHECK(reply.header("a") == "1");
        CHECK(reply.header("BB") == "");
        CHECK_FALSE(reply.header("B").has_value());
        CHECK(reply.header("content-TYPE") == "text/plain; charset=utf-8");
        CHECK(reply.body() == "x");
        CHECK(reply.body_in_memory());
        CHECK(reply.body_bytes() == 1);
        reply.remove_header("A").remove_header("none").header("D", "4").set_header("c", "5");
        reply.remove_header("Content-Type").header("Date", "now").header("Connection", "close");
        CHECK_FALSE(reply.header("content-type").has_value());
      });
  const Answer answer = wait("GET /");
  CHECK(answer.fields == "Bb: \r\nD: 4\r\nc: 5\r\nDate: now\r\n");
  CHECK(answer.content_type == "");
  CHECK_FALSE(answer.date);
  CHECK(answer.close);
}

namespace {
/// A body that is not in memory, and counts who lets it go.
struct Source final : proto::BodySource {
  int& released;
  explicit Source(int& count) : released(count) {}
  Result<std::size_t> read(std::span<char>) noexcept override { return std::size_t{0}; }
  void release() noexcept override {
    ++released;
    delete this;
  }
};

int released = 0;
void answer_by_source(void*, Request& request) noexcept {
  proto::Exchange& exchange = request.exchange();
  exchange.sink->reply(exchange, {.source = new Source(released), .source_bytes = 77});
}
}  // namespace

TEST_CASE_FIXTURE(Traced, "middleware: a body that is not in memory goes through, or is let go once") {
  std::uint64_t seen = 0;
  app.use([&](Request& request, Reply& reply) {
    seen = reply.body_bytes();
    CHECK(reply.body_in_memory() == (request.path() != "/x/kept"));
    if (request.query() == "replace") reply.body("text");
    if (request.query() == "fail") reply.fail("because");
  });
  app.use([](Request& request, Next next) -> Task<Response> {
    Response response = co_await next();
    CHECK(response.body_elsewhere());
    CHECK(response.body().empty());
    if (request.path() == "/x/dropped") co_return "dropped";
    if (request.path() == "/x/reset") response.status(205);
    const Response moved = std::move(response);
    co_return moved;
  });
  serve::AppState& state = serve::state_of(app);
  const detail::Entry entry{.start = answer_by_source, .destroy = [](void*) noexcept {}};
  REQUIRE(state.add("GET", "/x/kept", entry) == "");
  REQUIRE(state.add("GET", "/x/dropped", entry) == "");
  REQUIRE(state.add("GET", "/x/reset", entry) == "");
  released = 0;
  // The sink of these tests takes no source: what it is given would leak, so it is let go here.
  struct ReleasingSink final : proto::ReplySink {
    std::uint64_t bytes = 0;
    std::string body;
    bool has_source = false;
    void reply(proto::Exchange&, const proto::ReplyView& view) noexcept override {
      bytes = view.source_bytes;
      body = view.body;
      has_source = view.source != nullptr;
      if (view.source != nullptr) view.source->release();
    }
    void reply_fixed(proto::Exchange&, const proto::FixedReply&) noexcept override {}
    void reply_source(proto::Exchange&, const proto::FixedReply&, proto::BodySource& source,
                      std::uint64_t) noexcept override {
      source.release();
    }
    void finished(proto::Exchange&) noexcept override {}
    const net::Transport* transport(const proto::Exchange&) const noexcept override { return nullptr; }
  };
  struct Case {
    const char* target;
    std::uint64_t bytes;
    const char* body;
  };
  const test::StderrCapture quiet;
  for (const Case& c :
       {Case{"/x/kept", 77, ""}, Case{"/x/dropped", 0, "dropped"}, Case{"/x/kept?replace", 0, "text"},
        Case{"/x/reset", 0, ""}, Case{"/x/kept?fail", 0, "500 Internal Server Error\n"}}) {
    CAPTURE(c.target);
    released = 0;
    RequestText message("GET " + std::string(c.target) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    ReleasingSink sink;
    message.exchange.sink = &sink;
    dispatch().route(message.exchange);
    dispatch().start(message.exchange);
    CHECK(released == 1);
    CHECK(sink.has_source == (c.bytes != 0));
    CHECK((c.bytes == 0 || sink.bytes == c.bytes));
    CHECK(sink.body == c.body);
  }
}

TEST_CASE_FIXTURE(Traced, "middleware: elapsed time, and none for what the engine refused") {
  std::uint64_t elapsed = 1;
  app.use([&](Request&, Reply& reply) { elapsed = reply.elapsed_ns(); });
  app.get("/", task());
  CHECK(wait("GET /").status == 200);
  CHECK(elapsed >= ns_per_ms);
  RequestText refused("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  dispatch().refuse(refused.exchange, {Errc::timeout, 408});
  CHECK(elapsed == 0);
}
