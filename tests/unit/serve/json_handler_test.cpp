// JSON and queries as handlers see them, through the dispatcher.
#include <doctest/doctest.h>
#include <millrace/millrace.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tests/unit/serve/app_fixture.hpp"

using namespace std::chrono_literals;

namespace {

struct Item {
  std::int64_t id = 0;
  std::string name;
};
MR_JSON(Item, id, name)

struct Page {
  std::optional<unsigned> number = 1;
  std::string order;
};
MR_JSON(Page, number, order)

/// A POST whose body has readable bytes behind it, as the engine's have.
struct Post : millrace::test::RequestText {
  Post(std::string_view path, std::string_view fields, std::string_view body)
      : RequestText("POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n" +
                    std::string(body) + std::string(64, '\0')) {
    exchange.body = exchange.body.substr(0, body.size());
  }
};

}  // namespace

TEST_CASE("millrace::Json and millrace::json: in and out of a handler") {
  millrace::test::AppFixture fixture;
  fixture.app.post("/items", [](millrace::Json<Item> in) {
    in.value.id += 1;
    return millrace::json(in.value).status(201);
  });
  Post good("/items", "Content-Type: application/json\r\n", R"({"name":"x","id":41})");
  const millrace::test::Answer answer = fixture.run(good);
  CHECK(answer.status == 201);
  CHECK(answer.content_type == "application/json");
  CHECK(answer.body == R"({"id":42,"name":"x"})");

  Post bad("/items", "", R"({"name":"x"})");
  CHECK(fixture.run(bad).status == 400);
  CHECK(bad.sink.answer.body == "JSON: missing field at $.id, byte 0");

  Post other("/items", "Content-Type: text/csv\r\n", R"({"name":"x","id":41})");
  CHECK(fixture.run(other).status == 415);

  Post coded("/items", "Content-Encoding: gzip\r\n", R"({"name":"x","id":41})");
  CHECK(fixture.run(coded).status == 415);
  CHECK(coded.sink.answer.body ==
        "the body has a Content-Encoding, which is not decoded: send it without one");
  for (const Post* post : {&good, &bad, &other, &coded}) CHECK(post->sink.answer.replies == 1);
}

TEST_CASE("millrace::Query: into a handler") {
  millrace::test::AppFixture fixture;
  fixture.app.get("/list", [](millrace::Query<Page> query) {
    return query.value.order + std::to_string(query.value.number.value_or(0));
  });
  CHECK(fixture.ask("GET /list?order=a%20b&number=7").body == "a b7");
  CHECK(fixture.ask("GET /list?order=").body == "1");
  CHECK(fixture.ask("GET /list").status == 400);
  CHECK(fixture.ask("GET /list").body == "query: missing parameter: order");
  CHECK(fixture.ask("GET /list?order=a&number=-1").body ==
        "query: expected an integer from 0 to 4294967295: number");
}

TEST_CASE("millrace::Json in a coroutine: the value lives until it ends; nobody is answered who has left") {
  millrace::test::AppFixture fixture;
  fixture.app.post("/slow", [](const millrace::Json<Item>& in) -> millrace::Task<millrace::Response> {
    co_await millrace::sleep(5ms);
    co_return millrace::json(in.value);
  });
  Post stays("/slow", "", R"({"id":1,"name":"first"})");
  Post leaves("/slow", "", R"({"id":2,"name":"second"})");
  CHECK(fixture.run(stays).replies == 0);
  CHECK(fixture.run(leaves).replies == 0);
  fixture.core.scheduler.cancel(leaves.exchange.scope);
  fixture.core.turn(10 * millrace::ns_per_ms);
  CHECK(stays.sink.answer.body == R"({"id":1,"name":"first"})");
  CHECK(stays.sink.answer.finishes == 1);
  CHECK(leaves.sink.answer.replies == 0);
  CHECK(leaves.sink.answer.finishes == 1);
}
