#include "perf/load/answer.hpp"

#include <doctest/doctest.h>

#include <set>

namespace millrace::perf {
namespace {

constexpr std::string_view right =
    "HTTP/1.1 200 OK\r\ncontent-length: 12\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\nHello world!";

std::string with(std::string_view from, std::string_view to) {
  std::string text(right);
  return text.replace(text.find(from), from.size(), to);
}

}  // namespace

// Goal: no prefix is taken for a whole answer, and what follows it is left alone.
TEST_CASE("parse_answer: an answer cut anywhere is not whole") {
  for (std::size_t cut = 0; cut < right.size(); ++cut) {
    CAPTURE(cut);
    const std::optional<ParsedAnswer> answer = parse_answer(right.substr(0, cut));
    REQUIRE(answer.has_value());
    CHECK(answer->size == 0);
  }
  const std::string followed = std::string(right) + "HTTP/1.1 500";
  const std::optional<ParsedAnswer> answer = parse_answer(followed);
  REQUIRE(answer.has_value());
  CHECK(answer->size == right.size());
  CHECK(answer->body == "Hello world!");
  CHECK(right.substr(answer->date_at).starts_with("Sun, 06"));
}

TEST_CASE("parse_answer: what is no 200 with one Content-Length is refused") {
  for (const std::string& wrong :
       {with("200 OK", "404 Not Found"), with("content-length: 12", "content-length: 12x"),
        with("content-length: 12", "content-length:"), with("content-length", "content-size"),
        with("Date: Sun, 06 Nov 1994 08:49:37 GMT", "Content-Length: 12"),
        with("content-length: 12", "no colon"), std::string("garbage, and much of it\r\n\r\n")}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_answer(wrong).has_value());
  }
}

TEST_CASE("AnswerBook: every answer is the first one but for its date") {
  AnswerBook book(make_workload("W1", 1, 1), true);
  CHECK(book.depth() == 1);
  CHECK(book.batch_bytes() == 0);
  CHECK(book.take(0, right) == right.size());
  CHECK(book.batch_bytes() == right.size());
  CHECK(book.take(0, with("08:49:37", "08:49:38")) == right.size());
  CHECK(book.take(0, right.substr(0, 40)) == std::size_t{0});
  CHECK_FALSE(book.take(0, with("world", "werld")).has_value());
  CHECK(book.problem() == "the body is 'Hello werld!', not 'Hello world!'");
  CHECK_FALSE(book.take(0, with("Date", "Dates")).has_value());
  CHECK(book.problem().find("where " + std::to_string(right.size()) + " were right") != std::string::npos);
}

TEST_CASE("AnswerBook: without a check of the body, lengths still count") {
  AnswerBook book(make_workload("W4", 1, 1), false);
  CHECK(book.take(0, right) == right.size());
  CHECK(book.take(0, with("world", "werld")) == right.size());
  CHECK_FALSE(book.take(0, with("12", "3")).has_value());
}

TEST_CASE("make_workload: the sizes of the published workloads") {
  CHECK(make_workload("W1", 0, 0).connections == 100);
  CHECK(make_workload("W1", 0, 0).requests().size() == 24 * 35);
  CHECK(make_workload("W2", 7, 0).connections == 7);
  CHECK(make_workload("W2", 0, 0).requests().size() == 35);
  CHECK(make_workload("W2", 0, 3).batch.size() == 3);
  CHECK(make_workload("W3", 0, 0).connections == 256);
  CHECK(make_workload("W3", 0, 0).requests().size() == 16 * 450);
  CHECK(make_workload("W4", 0, 0).batch.front().request.ends_with(std::string(4096, 'b')));

  std::set<std::string> requests;
  std::set<std::size_t> lengths;
  for (const Exchange& exchange : make_workload("W1v", 0, 0).batch) {
    requests.insert(exchange.request);
    lengths.insert(exchange.request.size());
  }
  CHECK(requests.size() == 24);
  CHECK(lengths.size() > 8);
}

}  // namespace millrace::perf
