#include "perf/limit/answers.hpp"

#include <doctest/doctest.h>

namespace millrace::perf {

TEST_CASE("Answers: repeated whole, from any place on") {
  const Answers answers({.request_bytes = 35, .answers = 1, .response_bytes = 131});
  const std::string_view first = answers.bytes(0, 131);
  CHECK(first.size() == 131);
  CHECK(first.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(first.ends_with("\r\n\r\nHello world!"));
  CHECK(answers.bytes(131 - 12, 12 + 131) == "Hello world!" + std::string(first));
  CHECK(answers.bytes(130, 10 * Answers::send_bytes_max).size() == Answers::send_bytes_max);
}

TEST_CASE("Account: answers are owed for whole requests, however they are cut") {
  const Answers answers({.request_bytes = 35, .answers = 2, .response_bytes = 100});
  Account account;
  account.received(answers, 34);
  CHECK(account.owed == 0);
  account.received(answers, 1);
  CHECK(account.owed == 200);
  account.received(answers, 3 * 35 + 5);
  CHECK(account.owed == 800);
  CHECK(account.partial == 5);
  account.sent(answers, 150);
  CHECK(account.owed == 650);
  CHECK(account.place == 50);
  account.sent(answers, 650);
  CHECK(account.owed == 0);
  CHECK(account.place == 0);
}

}  // namespace millrace::perf
