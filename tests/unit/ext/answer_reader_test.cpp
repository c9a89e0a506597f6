#include "engine/ext/bench/answer_reader.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace millrace::bench;
namespace http = millrace::http;

namespace {

Expectation expect_200() {
  Expectation expect;
  expect.statuses.set(200);
  return expect;
}

struct Seen {
  std::vector<std::string> answers;  ///< A fault each, or "ok", with " last" behind it.
  std::string broken;                ///< Why the connection must be given up.
  bool inside = false;
};

/// Reads bytes that come in pieces of `step`.
Seen read(const Expectation& expect, const std::string& bytes, std::size_t step, bool close = false,
          http::Method method = http::Method::get) {
  AnswerReader reader(expect, method);
  LearnedHead learned;
  Seen seen;
  const auto note = [&seen](const Taken& taken) {
    seen.answers.push_back((taken.fault.empty() ? "ok" : taken.fault) + (taken.last ? " last" : ""));
  };
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    std::string piece = bytes.substr(at, step);  // Of its own: chunked data is moved in place.
    for (std::size_t eaten = 0; eaten != piece.size();) {
      const Taken taken = reader.take(piece.data() + eaten, piece.size() - eaten, learned);
      REQUIRE(taken.bytes <= piece.size() - eaten);
      eaten += taken.bytes;
      if (taken.whole) note(taken);
      if (taken.whole || taken.fault.empty()) continue;
      seen.broken = taken.fault;
      return seen;
    }
  }
  seen.inside = reader.inside();
  if (const Taken taken = close ? reader.close() : Taken{}; taken.whole) note(taken);
  return seen;
}

const std::string hello =
    "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 5\r\n\r\nhello";
const std::string later =
    "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:38 GMT\r\nContent-Length: 5\r\n\r\nworld";
const std::string chunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nA: b\r\n\r\n";

}  // namespace

// Goal: where a receive ends makes no difference. Method: every size of piece.
TEST_CASE("AnswerReader: pipelined answers, in pieces of every size") {
  const std::string bytes = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + hello + later + chunked + hello +
                            "HTTP/1.1 204 No Content\r\n\r\n" + hello;
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    CAPTURE(step);
    const Seen seen = read(expect_200(), bytes, step);
    CHECK(seen.answers == std::vector<std::string>{"ok", "ok", "ok", "ok", "status 204", "ok"});
    CHECK(seen.broken.empty());
    CHECK_FALSE(seen.inside);
  }
}

TEST_CASE("AnswerReader: lengths and bodies are held to what is expected") {
  Expectation expect = expect_200();
  expect.body = "hello";
  expect.body_bytes = 5;
  const std::string shorter = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhell";
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
    const Seen seen = read(expect, hello + chunked + later + shorter + hello, step);
    REQUIRE(seen.answers.size() == 5);
    CHECK(seen.answers[0] == "ok");
    CHECK(seen.answers[1] == "ok");
    CHECK(seen.answers[2] == "a body of 5 bytes that is not the one expected");
    CHECK(seen.answers[3] == "a body of 4 bytes, not 5");
    CHECK(seen.answers[4] == "ok");
  }
}

TEST_CASE("AnswerReader: connections that end") {
  const std::string closing = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
  CHECK(read(expect_200(), closing, 9).answers == std::vector<std::string>{"ok last"});
  const std::string until_close = "HTTP/1.0 200 OK\r\n\r\nhello";
  CHECK(read(expect_200(), until_close, 9, true).answers == std::vector<std::string>{"ok last"});
  for (std::size_t cut = 1; cut < hello.size(); ++cut) {
    const Seen seen = read(expect_200(), hello.substr(0, cut), 1000, true);
    CHECK(seen.answers.empty());
    CHECK(seen.inside);
  }
}

TEST_CASE("AnswerReader: an answer to HEAD has no body") {
  const std::string head = hello.substr(0, hello.size() - 5);
  CHECK(read(expect_200(), head + head, 11, false, http::Method::head).answers.size() == 2);
}

TEST_CASE("AnswerReader: bytes that make no sense are told, and end it") {
  const auto broken = [](const std::string& bytes) { return read(expect_200(), bytes, 1000).broken; };
  CHECK(broken("SSH-2.0-OpenSSH\r\n") == "not an answer of HTTP/1.1 (bad_status_line): `SSH-2.0-OpenSSH`");
  CHECK(broken(hello + "x" + hello).find("bad_status_line") != std::string::npos);
  CHECK(broken("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n") ==
        "a chunked body is broken (bad_chunk)");
  CHECK(broken("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n")
            .find("bad_content_length") != std::string::npos);
  CHECK(broken("HTTP/1.1 101 Switching Protocols\r\n\r\n").find("101") != std::string::npos);
  std::string interim;
  for (int i = 0; i != 17; ++i) interim += "HTTP/1.1 100 Continue\r\n\r\n";
  CHECK(broken(interim) == "more than 16 interim answers (1xx)");
}
