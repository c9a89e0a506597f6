// Goal: what a head says of its message, and every way in which it may not say it. Sources: RFC 9112
// sections 3.2, 6 and 9; RFC 9110 sections 7.2, 7.6.1, 8.6 and 10.1.1.
#include "engine/http/framing.hpp"

#include <doctest/doctest.h>

#include <string>

#include "engine/http/head_parser.hpp"
#include "engine/http/known_host.hpp"
#include "tests/unit/http/support.hpp"

using namespace millrace::http;
using millrace::Errc;
using millrace::Error;

namespace {

/// Framing of a head that is kept alive with it.
struct Framed {
  explicit Framed(std::string_view bytes) : padded(bytes) {
    REQUIRE_FALSE(parse_head_strict(padded.data(), padded.size(), HeadLimits{}, store.head).failed());
    KnownHost known;
    error = read_framing(store.head, known, framing);
  }
  test::Padded padded;
  test::HeadStore store;
  Framing framing;
  Error error;
};

Framed post(std::string_view fields) {
  return Framed("POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n");
}
Framed post_10(std::string_view fields) {
  return Framed("POST / HTTP/1.0\r\n" + std::string(fields) + "\r\n");
}

}  // namespace

TEST_CASE("read_framing: refusals and their status") {
  struct Case {
    std::string_view fields;
    Errc want;
    std::uint16_t status;
  };
  static constexpr Case cases[] = {
      {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Errc::bad_content_length, 400},
      {"Transfer-Encoding: Chunked\r\ncontent-length: 5\r\n", Errc::bad_content_length, 400},
      {"Transfer-Encoding: gzip, chunked\r\n", Errc::transfer_coding_unknown, 501},
      {"Transfer-Encoding: chunked, gzip\r\n", Errc::bad_transfer_encoding, 400},
      {"Transfer-Encoding: gzip\r\n", Errc::bad_transfer_encoding, 400},
      {"Transfer-Encoding: identity\r\n", Errc::bad_transfer_encoding, 400},
      {"Transfer-Encoding: xchunked\r\n", Errc::bad_transfer_encoding, 400},
      {"Transfer-Encoding: chunked123\r\n", Errc::bad_transfer_encoding, 400},
      {"Transfer-Encoding: \xa0"
       "chunked\r\n",
       Errc::bad_transfer_encoding, 400},
      {"Transfer-Encoding: \"chunked\"\r\n", Errc::bad_transfer_encoding, 400},
      {"Transfer-Encoding: cow chunked bar\r\n", Errc::bad_transfer_encoding, 400},
      {"Transfer-Encoding: chunked;q=1\r\n", Errc::bad_transfer_encoding, 400},
      {"Transfer-Encoding: chunked, chunked\r\n", Errc::bad_transfer_encoding, 400},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", Errc::bad_transfer_encoding, 400},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", Errc::bad_transfer_encoding, 400},
      {"Transfer-Encoding: ,chunked\r\n", Errc::bad_transfer_encoding, 400},
      {"Transfer-Encoding: chunked,\r\n", Errc::bad_transfer_encoding, 400},
      {"Transfer-Encoding:\r\n", Errc::bad_transfer_encoding, 400},
      {"Content-Length:\r\n", Errc::bad_content_length, 400},
      {"Content-Length: -1\r\n", Errc::bad_content_length, 400},
      {"Content-Length: +5\r\n", Errc::bad_content_length, 400},
      {"Content-Length: 0x10\r\n", Errc::bad_content_length, 400},
      {"Content-Length: 1_0\r\n", Errc::bad_content_length, 400},
      {"Content-Length: 5 5\r\n", Errc::bad_content_length, 400},
      {"Content-Length: 1Z\r\n", Errc::bad_content_length, 400},
      {"Content-Length: 5, 5\r\n", Errc::bad_content_length, 400},
      {"Content-Length: \xd9\xa5\r\n", Errc::bad_content_length, 400},
      {"Content-Length: 18446744073709551616\r\n", Errc::bad_content_length, 400},
      {"Content-Length: 99999999999999999999999999999999999999999\r\n", Errc::bad_content_length, 400},
      {"Content-Length: 5\r\nContent-Length: 5\r\n", Errc::bad_content_length, 400},
      {"Content-Length: 0\r\nContent-Length: 34\r\n", Errc::bad_content_length, 400},
      {"hOST: a\r\n", Errc::bad_host, 400},
      {"Host: b\r\n", Errc::bad_host, 400},
  };
  for (const Case& c : cases) {
    CAPTURE(c.fields);
    CHECK(post(c.fields).error == Error{c.want, c.status});
  }
}

TEST_CASE("read_framing: the body") {
  CHECK(post("").framing.body == BodyKind::none);
  CHECK(post("Content-Length: 0\r\n").framing.body == BodyKind::none);
  const Framed ten = post("cONTENT-lENGTH:  \t010 \t\r\n");
  CHECK(ten.framing.body == BodyKind::length);
  CHECK(ten.framing.content_length == 10);
  CHECK(post("Content-Length: 18446744073709551615\r\n").framing.content_length == ~std::uint64_t{0});
  CHECK(post("Transfer-Encoding: \tCHUNKED \t\r\n").framing.body == BodyKind::chunked);
  CHECK(post("TE: chunked\r\nContent-Length: 5\r\n").framing.body == BodyKind::length);
  CHECK(post("Transfer_Encoding: chunked\r\n").framing.body == BodyKind::none);
  CHECK(post_10("Content-Length: 5\r\n").framing.content_length == 5);
  CHECK(post_10("Transfer-Encoding: chunked\r\n").error.code == Errc::bad_transfer_encoding);
}

TEST_CASE("read_framing: persistence") {
  CHECK(post("").framing.keep_alive);
  CHECK_FALSE(post("Connection: close\r\n").framing.keep_alive);
  CHECK_FALSE(post("connection: x , ClOsE\r\n").framing.keep_alive);
  CHECK_FALSE(post("Connection: keep-alive\r\nConnection: close\r\n").framing.keep_alive);
  CHECK(post("Connection: closed\r\n").framing.keep_alive);
  CHECK(post("Connection: x-close\r\n").framing.keep_alive);
  CHECK(post("Connection:\r\n").framing.keep_alive);
  CHECK_FALSE(post_10("").framing.keep_alive);
  CHECK(post_10("Connection: Keep-Alive\r\n").framing.keep_alive);
  CHECK_FALSE(post_10("Connection: keep-alive, close\r\n").framing.keep_alive);
}

TEST_CASE("read_framing: expectations") {
  CHECK(post("Content-Length: 5\r\nexpect: 100-Continue\r\n").framing.expect_continue);
  CHECK(post("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n").framing.expect_continue);
  CHECK_FALSE(post("Expect: 100-continue\r\n").framing.expect_continue);
  CHECK_FALSE(post("Content-Length: 0\r\nExpect: 100-continue\r\n").framing.expect_continue);
  CHECK_FALSE(post_10("Content-Length: 5\r\nExpect: 100-continue\r\n").framing.expect_continue);
  CHECK(post("Expect: foo\r\n").framing.expectation_unknown);
  CHECK(post("Expect: 100-continue, foo\r\n").framing.expectation_unknown);
  CHECK_FALSE(post("Expect:\r\n").framing.expectation_unknown);
  CHECK_FALSE(post_10("Expect: foo\r\n").framing.expectation_unknown);
}

TEST_CASE("read_framing: upgrade wants both fields and HTTP/1.1") {
  CHECK(post("Connection: Upgrade\r\nUpgrade: websocket\r\n").framing.upgrade);
  CHECK(post("Upgrade: websocket\r\nConnection: keep-alive, upgrade\r\n").framing.upgrade);
  CHECK_FALSE(post("Upgrade: websocket\r\n").framing.upgrade);
  CHECK_FALSE(post("Connection: upgrade\r\n").framing.upgrade);
  CHECK_FALSE(post_10("Connection: upgrade\r\nUpgrade: websocket\r\n").framing.upgrade);
}

TEST_CASE("read_framing: the host") {
  CHECK(Framed("GET / HTTP/1.1\r\nhoSt: b:80\r\n\r\n").framing.host == "b:80");
  CHECK(Framed("GET / HTTP/1.1\r\nA: b\r\n\r\n").error == Error{Errc::bad_host, 400});
  CHECK(Framed("GET / HTTP/1.1\r\nHost:\r\n\r\n").error == Error{Errc::bad_host, 400});
  CHECK(Framed("GET / HTTP/1.0\r\n\r\n").framing.host == "");
  CHECK_FALSE(Framed("GET / HTTP/1.0\r\n\r\n").error.failed());
  CHECK(Framed("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n").error.code == Errc::bad_host);
  CHECK(Framed("GET http://b:8/x HTTP/1.1\r\nHost: a\r\n\r\n").framing.host == "b:8");
  CHECK(Framed("GET http://b?x HTTP/1.1\r\nHost: a\r\n\r\n").framing.host == "b");
  CHECK(Framed("GET http://b/x HTTP/1.1\r\n\r\n").error.code == Errc::bad_host);  // RFC 9112 section 3.2.
  CHECK(Framed("CONNECT b:80 HTTP/1.1\r\nHost: a\r\n\r\n").framing.host == "a");
  CHECK(Framed("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").framing.host == "a");
}

TEST_CASE("valid_host: RFC 3986 section 3.2.2") {
  for (const std::string_view good : {"a",
                                      "localhost",
                                      "LOCALHOST",
                                      "localhost:",
                                      "a:0",
                                      "a:65535",
                                      "127.0.0.1",
                                      "my_host.example",
                                      "a.",
                                      "[::1]",
                                      "[::1]:80",
                                      "[::]",
                                      "[1::]",
                                      "[1:2:3:4:5:6:7:8]",
                                      "[::ffff:1.2.3.4]",
                                      "[1:2:3:4:5:6:1.2.3.4]",
                                      "[fe80::1:abcd]",
                                      "[v1.a:b]",
                                      "a%41b",
                                      "x-1~!$&'()*+;=",
                                      "averyveryverylonghostname.of.more.than.sixteen.bytes.example:8080"}) {
    CAPTURE(good);
    CHECK(valid_host(good));
  }
  for (const std::string_view bad : {"",
                                     ".",
                                     "a b",
                                     "a:99999",
                                     "a:65536",
                                     "a:9000:80",
                                     "a,b",
                                     "[::1",
                                     "u@a",
                                     "a:-1",
                                     "[::1]x:80",
                                     "a?x",
                                     "a#x",
                                     "a\\b",
                                     "a/b",
                                     "a%zz",
                                     "a%4",
                                     "%",
                                     ":80",
                                     "[]",
                                     "[1]",
                                     "[1:2:3:4:5:6:7:8:9]",
                                     "[:::]",
                                     "[1::2::3]",
                                     "[12345::]",
                                     "[::1.2.3]",
                                     "[::256.1.1.1]",
                                     "[::01.1.1.1]",
                                     "[1.2.3.4]",
                                     "[::1.2.3.4.5]",
                                     "[1:2:3:4:5:6:7::8]",
                                     "[1:2:3:4:5:6:7:1.2.3.4]",
                                     "[:1]",
                                     "[1:]",
                                     "[v.a]",
                                     "[v1.]",
                                     "[v1.,]",
                                     "[::1]:x",
                                     "a:8x",
                                     "a]",
                                     "a[b",
                                     "a\x80",
                                     "a\tb"}) {
    CAPTURE(bad);
    CHECK_FALSE(valid_host(bad));
  }
}

TEST_CASE("valid_host: every byte at every place of a short host") {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    const bool name = letter || (c != 0 && std::strchr("-._~!$&'()*+;=", c) != nullptr);
    for (std::size_t length : {1, 3, 8, 9, 16, 20}) {
      for (std::size_t at = 0; at < length; ++at) {
        std::string host(length, 'x');
        host[at] = c;
        const bool port_start = c == ':' && at + 1 == length && length > 1;
        CAPTURE(byte);
        CAPTURE(host);
        CHECK(valid_host(host) == ((name && host != ".") || port_start));
      }
    }
  }
}

TEST_CASE("list_has, equal_ignoring_case") {
  CHECK(list_has("a, B\t,c", "b"));
  CHECK(list_has("close", "Close"));
  CHECK_FALSE(list_has("closed, x close", "close"));
  CHECK_FALSE(list_has("", "close"));
  CHECK(list_has(",,a", "a"));
  CHECK(equal_ignoring_case("Content-Length", "cONTENT-lENGTH"));
  CHECK_FALSE(equal_ignoring_case("a", "ab"));
  CHECK_FALSE(equal_ignoring_case("[", "{"));  // They differ only in bit 5, and are no letters.
  CHECK_FALSE(equal_ignoring_case("@", "`"));
}

TEST_CASE("a host that was judged is known again, and no other is taken for it") {
  KnownHost known;
  CHECK_FALSE(known.valid(""));
  CHECK_FALSE(known.valid("a b"));
  const std::string longer = "a-host-of-more-than.sixteen.bytes.example:8080";
  const std::string longest = std::string(63, 'a') + ".example";  // Is not kept.
  for (const std::string& host :
       {std::string("a"), std::string("abc"), std::string("127.0.0.1:80"), longer, longest}) {
    CAPTURE(host);
    CHECK(known.valid(host));
    CHECK(known.valid(host));
    for (std::size_t at = 0; at < host.size(); ++at) {  // Also where neither end tells.
      std::string other = host;
      other[at] = ' ';
      CHECK_FALSE(known.valid(other));
    }
    CHECK_FALSE(known.valid(host + " "));
    CHECK_FALSE(known.valid(""));
    CHECK(known.valid(host));
  }
}
