// app_fixture.hpp: an App behind a Dispatch, and a sink that keeps what it answers. Requests are text,
// read by the real parser.
#pragma once

#include <doctest/doctest.h>
#include <millrace/app.hpp>

#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "engine/http/head_parser.hpp"
#include "engine/http/known_host.hpp"
#include "engine/serve/dispatch.hpp"
#include "tests/unit/serve/scheduler_test.hpp"

namespace millrace::test {

/// What the sink was given.
struct Answer {
  unsigned status = 0;
  std::string content_type;
  std::string fields;
  std::string body;
  bool close = false;
  bool date = true;
  bool fixed = false;  ///< By reply_fixed(): the head is in `fields`.
  unsigned replies = 0;
  unsigned finishes = 0;
};

class KeepingSink final : public proto::ReplySink {
 public:
  void reply(proto::Exchange& exchange, const proto::ReplyView& view) noexcept override {
    CHECK_FALSE(exchange.replied);
    exchange.replied = true;
    answer.status = view.status;
    answer.content_type = view.content_type;
    answer.fields = view.fields;
    answer.body = view.body;
    answer.close = view.close;
    answer.date = view.date;
    ++answer.replies;
  }
  void reply_fixed(proto::Exchange& exchange, const proto::FixedReply& fixed) noexcept override {
    CHECK_FALSE(exchange.replied);
    exchange.replied = true;
    answer.fixed = true;
    answer.fields = fixed.head;
    answer.body = fixed.body;
    date_at = fixed.date_at;
    ++answer.replies;
  }
  void reply_source(proto::Exchange&, const proto::FixedReply&, proto::BodySource&,
                    std::uint64_t) noexcept override {
    FAIL("nothing here serves files");
  }
  void finished(proto::Exchange&) noexcept override { ++answer.finishes; }
  const net::Transport* transport(const proto::Exchange&) const noexcept override { return nullptr; }

  Answer answer;
  std::uint32_t date_at = 0;
};

/// One request, read from text.
struct RequestText {
  /// "GET /a HTTP/1.1\r\n...\r\n\r\nbody": what stands behind the empty line is the body.
  explicit RequestText(std::string_view text) : bytes(text) {
    exchange.head.fields = fields.data();
    exchange.head.fields_max = static_cast<std::uint16_t>(fields.size());
    REQUIRE(http::parse_head_strict(bytes.data(), bytes.size(), {}, exchange.head).code == Errc::ok);
    http::KnownHost known;
    REQUIRE(http::read_framing(exchange.head, known, exchange.framing).code == Errc::ok);
    REQUIRE(http::read_target(exchange.head, bytes.data(), exchange.target).code == Errc::ok);
    exchange.body = std::string_view(bytes).substr(exchange.head.size);
  }

  std::string bytes;
  std::array<http::Field, 32> fields;
  KeepingSink sink;
  proto::Exchange exchange{sink};
};

struct AppFixture {
  App app;
  SmallCore core;

  /// Built at the first request: the App must be whole by then.
  serve::Dispatch& dispatch() {
    std::string problem;
    if (dispatch_ == nullptr) dispatch_ = serve::Dispatch::build(serve::state_of(app), problem);
    REQUIRE(problem == "");
    return *dispatch_;
  }
  Answer run(RequestText& message) {
    dispatch().route(message.exchange);
    dispatch().start(message.exchange);
    return message.sink.answer;
  }
  /// line: "GET /a". more: fields with their CRLF, perhaps an empty line and a body.
  Answer ask(std::string_view line, std::string_view more = "\r\n") {
    RequestText message(std::string(line) + " HTTP/1.1\r\nHost: a\r\n" + std::string(more));
    return run(message);
  }

 private:
  std::unique_ptr<serve::Dispatch> dispatch_;
};

/// Takes what is written to standard error while it lives.
class StderrCapture {
 public:
  StderrCapture() : file_(std::tmpfile()), saved_(::dup(STDERR_FILENO)) {
    ::dup2(::fileno(file_), STDERR_FILENO);
  }
  StderrCapture(const StderrCapture&) = delete;
  StderrCapture& operator=(const StderrCapture&) = delete;
  ~StderrCapture() {
    restore();
    std::fclose(file_);
  }
  std::string text() {
    restore();
    std::string text(static_cast<std::size_t>(::lseek(::fileno(file_), 0, SEEK_END)), '\0');
    const ssize_t got = ::pread(::fileno(file_), text.data(), text.size(), 0);
    REQUIRE(got == static_cast<ssize_t>(text.size()));
    return text;
  }

 private:
  void restore() {
    if (saved_ < 0) return;
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
    saved_ = -1;
  }
  std::FILE* file_;
  int saved_;
};

}  // namespace millrace::test
