// Goal: every look-up of a Request, on what clients send and on what they should not send.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>

#include "tests/unit/serve/app_fixture.hpp"

using namespace millrace;
using test::RequestText;

TEST_CASE("request: line, path and query") {
  RequestText message("PUT /a%20b/c?x=1&y=%20 HTTP/1.1\r\nHost: a\r\n\r\nbody");
  const Request& request = message.exchange.request;
  CHECK(request.method() == "PUT");
  CHECK(request.path() == "/a b/c");
  CHECK(request.query() == "x=1&y=%20");
  CHECK(request.body().view() == "body");
  CHECK(request.keep_alive());
  CHECK(request.route() == "");
  CHECK(request.parameter_count() == 0);
  RequestText plain("GET /plain HTTP/1.0\r\n\r\n");
  CHECK(plain.exchange.request.target() == "/plain");
  CHECK_FALSE(plain.exchange.request.keep_alive());
}

TEST_CASE("request: query parameters") {
  RequestText message("GET /?a=1&b=x+y%26z&a=2&%63=3&d&=e&&f= HTTP/1.1\r\nHost: a\r\n\r\n");
  const Request& request = message.exchange.request;
  CHECK(request.query("a") == "1");
  CHECK(request.query("b") == "x y&z");
  CHECK(request.query("c") == "3");
  CHECK(request.query("d") == "");
  CHECK(request.query("f") == "");
  CHECK(request.query("") == "e");
  CHECK(request.query("g") == std::nullopt);
  CHECK(request.query("A") == std::nullopt);
  RequestText none("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(none.exchange.request.query() == "");
  CHECK(none.exchange.request.query("a") == std::nullopt);
}

TEST_CASE("request: headers, whatever their case, the first first") {
  RequestText message("GET / HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nx-one: 2\r\nEmpty:\r\n\r\n");
  const Request& request = message.exchange.request;
  CHECK(request.header("X-ONE") == "1");
  CHECK(request.header("empty") == "");
  CHECK(request.header("X-On") == std::nullopt);
  REQUIRE(request.header_count() == 4);
  CHECK(request.header_name(2) == "x-one");
  CHECK(request.header_value(2) == "2");
}

TEST_CASE("request: cookies") {
  RequestText message(
      "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1; b=\"q\";c=x=y ;  d\r\ncookie: e=5; a=9\r\n\r\n");
  const Request& request = message.exchange.request;
  CHECK(request.cookie("a") == "1");
  CHECK(request.cookie("b") == "\"q\"");
  CHECK(request.cookie("c") == "x=y");
  CHECK(request.cookie("d") == std::nullopt);
  CHECK(request.cookie("e") == "5");
  CHECK(request.cookie("A") == std::nullopt);
  CHECK(request.cookie("") == std::nullopt);
  RequestText none("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(none.exchange.request.cookie("a") == std::nullopt);
}

TEST_CASE("request: trailers") {
  RequestText message("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  message.exchange.trailers = "X-Sum: 7\r\nx-other:  a:b \r\n";
  CHECK(message.exchange.request.trailer("x-sum") == "7");
  CHECK(message.exchange.request.trailer("X-Other") == "a:b");
  CHECK(message.exchange.request.trailer("x") == std::nullopt);
  message.exchange.trailers = {};
  CHECK(message.exchange.request.trailer("x-sum") == std::nullopt);
}

TEST_CASE("request: host and port") {
  struct Case {
    const char* host;
    const char* name;
    std::uint16_t port;
  };
  static constexpr Case cases[] = {
      {"example.com", "example.com", 0},  {"example.com:8080", "example.com", 8080},
      {"example.com:", "example.com", 0}, {"[::1]", "[::1]", 0},
      {"[::1]:65535", "[::1]", 65535},    {"127.0.0.1:80", "127.0.0.1", 80},
  };
  for (const Case& c : cases) {
    CAPTURE(c.host);
    RequestText message("GET / HTTP/1.1\r\nHost: " + std::string(c.host) + "\r\n\r\n");
    CHECK(message.exchange.request.host() == c.name);
    CHECK(message.exchange.request.port() == c.port);
  }
  RequestText absolute("GET http://target:81/x HTTP/1.1\r\nHost: field:82\r\n\r\n");
  CHECK(absolute.exchange.request.host() == "target");
  CHECK(absolute.exchange.request.port() == 81);
  RequestText old("GET / HTTP/1.0\r\n\r\n");
  CHECK(old.exchange.request.host() == "");
  CHECK(old.exchange.request.port() == 0);
}

namespace {

/// The client's side of a connection over loopback; its peer is the server's.
struct Pair {
  explicit Pair(int family) {
    const int listener = ::socket(family, SOCK_STREAM, 0);
    sockaddr_storage address{};
    address.ss_family = static_cast<sa_family_t>(family);
    if (family == AF_INET) {
      reinterpret_cast<sockaddr_in&>(address).sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    } else {
      reinterpret_cast<sockaddr_in6&>(address).sin6_addr = in6addr_loopback;
    }
    socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    made = ::bind(listener, raw, size) == 0 && ::listen(listener, 1) == 0 &&
           ::getsockname(listener, raw, &size) == 0;
    if (made) {
      client = ::socket(family, SOCK_STREAM, 0);
      REQUIRE(::connect(client, raw, size) == 0);
      server = ::accept(listener, nullptr, nullptr);
      REQUIRE(::getsockname(client, raw, &size) == 0);
      port = ntohs(family == AF_INET ? reinterpret_cast<sockaddr_in&>(address).sin_port
                                     : reinterpret_cast<sockaddr_in6&>(address).sin6_port);
    }
    ::close(listener);
  }
  ~Pair() {
    ::close(client);
    ::close(server);
  }
  bool made = false;
  int client = -1, server = -1;
  unsigned port = 0;
};

}  // namespace

TEST_CASE("request: the address of the peer") {
  RequestText message("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(message.exchange.request.remote_address() == "");
  const Pair four(AF_INET);
  REQUIRE(four.made);
  message.exchange.descriptor = four.server;
  CHECK(message.exchange.request.remote_address() == "127.0.0.1:" + std::to_string(four.port));
  if (const Pair six(AF_INET6); six.made) {  // Not every machine has IPv6.
    message.exchange.descriptor = six.server;
    CHECK(message.exchange.request.remote_address() == "[::1]:" + std::to_string(six.port));
  }
  int pair[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  message.exchange.descriptor = pair[0];
  CHECK(message.exchange.request.remote_address() == "unix:");
  ::close(pair[0]);
  ::close(pair[1]);
}

TEST_CASE("request: the application's own pointer") {
  RequestText message("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  Request& request = message.exchange.request;
  CHECK(request.user_data() == nullptr);
  int done = 0;
  request.set_user_data(&done);
  request.on_done([](void* data) noexcept { ++*static_cast<int*>(data); });
  CHECK(request.user_data() == &done);
  message.exchange.on_done(message.exchange.user_data);  // As the session does at the end.
  CHECK(done == 1);
}
