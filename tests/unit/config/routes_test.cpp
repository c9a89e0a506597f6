// The handlers behind `respond` and `redirect`, called as the dispatcher calls them, and the table.
#include "engine/config/routes.hpp"

#include <doctest/doctest.h>

#include <string>

#include "engine/config/route_entry.hpp"
#include "engine/proto/exchange.hpp"

using namespace millrace;
using namespace millrace::config;

namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

class Sink final : public proto::ReplySink {
 public:
  void reply(proto::Exchange&, const proto::ReplyView& view) noexcept override {
    ++replies;
    status = view.status;
    head = view.fields;
    body = view.body;
  }
  void reply_fixed(proto::Exchange&, const proto::FixedReply& fixed) noexcept override {
    ++replies;
    head = fixed.head;
    body = fixed.body;
    date_at = fixed.date_at;
  }
  void reply_source(proto::Exchange&, const proto::FixedReply&, proto::BodySource&,
                    std::uint64_t) noexcept override {
    FAIL("nothing here serves files");
  }
  void finished(proto::Exchange&) noexcept override { FAIL("not asynchronous"); }
  const net::Transport* transport(const proto::Exchange&) const noexcept override { return nullptr; }

  int replies = 0;
  unsigned status = 0;
  std::string head;
  std::string body;
  std::size_t date_at = 0;
};

/// Asks an entry once, and ends it.
Sink answer_of(const detail::Entry& entry, std::string_view query = {}) {
  Sink sink;
  proto::Exchange exchange(sink);
  exchange.target.path = "/old";
  exchange.target.query = query;
  entry.start(entry.self, exchange.request);
  entry.destroy(entry.self);
  CHECK(sink.replies == 1);
  return sink;
}

RouteConfig redirect_to(const char* to, std::uint16_t status) {
  RouteConfig route;
  route.kind = RouteConfig::Kind::redirect;
  route.path = "/old";
  route.to = to;
  route.status = status;
  return route;
}

}  // namespace

TEST_CASE("respond: status, type, fields, length and the place of the date") {
  RouteConfig route;
  route.status = 201;
  route.type = "text/html";
  route.headers = {{"X-One", "1"}, {"X-Two", "2"}};
  route.body = "Hi there";
  const Sink sink = answer_of(make_respond_entry(route));
  CAPTURE(sink.head);
  CHECK(sink.head.starts_with("HTTP/1.1 201 Created\r\n"));
  CHECK(sink.head.ends_with("\r\n\r\n"));
  CHECK(has(sink.head, "\r\nContent-Type: text/html\r\n"));
  CHECK(has(sink.head, "\r\nContent-Length: 8\r\n"));
  CHECK(has(sink.head, "\r\nX-One: 1\r\n"));
  CHECK(has(sink.head, "\r\nX-Two: 2\r\n"));
  CHECK(sink.head.substr(sink.date_at - 6, 6) == "Date: ");
  CHECK(sink.body == "Hi there");

  route.status = 204;
  route.body.clear();
  CHECK(!has(answer_of(make_respond_entry(route)).head, "Content-Length"));
}

TEST_CASE("redirect: the query goes with it where the target has none") {
  Sink sink = answer_of(make_redirect_entry(redirect_to("/new", 301)));
  CHECK(sink.status == 301);
  CHECK(sink.head == "Location: /new\r\n");
  sink = answer_of(make_redirect_entry(redirect_to("/new", 308)), "a=1&b=%20");
  CHECK(sink.status == 308);
  CHECK(sink.head == "Location: /new?a=1&b=%20\r\n");
  CHECK(answer_of(make_redirect_entry(redirect_to("/new?x=1", 302)), "a=1").head == "Location: /new?x=1\r\n");
  CHECK(answer_of(make_redirect_entry(redirect_to("/new#part", 302)), "a=1").head ==
        "Location: /new#part\r\n");
}

TEST_CASE("table_of_routes") {
  Config config;
  config.routes.resize(4);
  config.routes[0] = redirect_to("/new", 308);
  config.routes[1].path = "/hello";
  config.routes[1].type = "text/plain";
  config.routes[1].body = "Hi";
  config.routes[2].kind = RouteConfig::Kind::files;
  config.routes[2].path = "/static/*";
  config.routes[2].directory = "./public";
  config.routes[3].kind = RouteConfig::Kind::metrics;
  config.routes[3].path = "/metrics";
  CHECK(table_of_routes(config) ==
        "METHOD  PATTERN    KIND      TARGET\n"
        "any     /old       redirect  308 to /new\n"
        "GET     /hello     respond   200, 2 bytes of text/plain\n"
        "GET     /static/*  files     ./public\n"
        "GET     /metrics   metrics   counters of the server\n");
}

TEST_CASE("add_routes: a directory that is gone is a problem with its line") {
  Config config;
  config.file = "m.toml";
  config.routes.resize(2);
  config.routes[0].kind = RouteConfig::Kind::files;
  config.routes[0].path = "/*";
  config.routes[0].directory = "/nonexistent";
  config.routes[0].line = 7;
  config.routes[1].path = "/";
  App app;
  Report report;
  add_routes(config, app, report);
  REQUIRE(report.problems.size() == 1);
  CHECK(
      report.problems[0] ==
      "m.toml:7: the directory \"/nonexistent\": No such file or directory (paths are relative to where the "
      "server is started)");
}

TEST_CASE("add_routes: patterns for the same requests are a problem") {
  Config config;
  config.routes.resize(2);
  config.routes[0].path = "/a/{x}";
  config.routes[1].path = "/a/{y}";
  App app;
  Report report;
  add_routes(config, app, report);
  CHECK(report.problems.size() == 1);
}
