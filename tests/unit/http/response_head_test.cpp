#include "engine/http/response_head.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

using namespace millrace;
using namespace millrace::http;

namespace {

struct Store {
  explicit Store(std::uint16_t fields_max = 8) : fields(fields_max) {
    head.fields = fields.data();
    head.fields_max = fields_max;
  }
  std::vector<Field> fields;
  ResponseHead head;
};

/// A copy of exactly those bytes, so that a read past them is seen by the address sanitizer.
Errc verdict(std::string_view bytes, Store& store) {
  const std::vector<char> exact(bytes.begin(), bytes.end());
  return read_response_head({exact.data(), exact.size()}, store.head).code;
}

struct Framed {
  Errc code;
  ResponseFraming framing;
};

Framed framed(const std::string& bytes, Method method = Method::get) {
  Store store;
  REQUIRE(read_response_head(bytes, store.head).code == Errc::ok);
  Framed out{};
  out.code = read_response_framing(store.head, method, out.framing).code;
  return out;
}

}  // namespace

// Goal: each accept/reject edge of the grammar. Method: every head is also cut at every byte, because a
// receive may end anywhere; a prefix may only say need_more or the final verdict.
TEST_CASE("read_response_head: RFC 9112 sections 4 and 5") {
  struct Case {
    const char* name;
    std::string_view bytes;
    Errc want;
  };
  static constexpr Case cases[] = {
      {"no field", "HTTP/1.1 200 OK\r\n\r\n", Errc::ok},
      {"no reason", "HTTP/1.1 200 \r\n\r\n", Errc::ok},
      {"no space behind the status", "HTTP/1.1 404\r\n\r\n", Errc::ok},
      {"HTTP/1.0", "HTTP/1.0 302 Found\r\nLocation: /\r\n\r\n", Errc::ok},
      {"fields", "HTTP/1.1 200 OK\r\nA:b\r\nC: \t d e \t\r\nEmpty:\r\n\r\n", Errc::ok},
      {"obs-text", "HTTP/1.1 200 \xc3\xa9\r\nA: \xff\r\n\r\n", Errc::ok},
      {"another protocol", "HTTP/2 200\r\n\r\n", Errc::bad_status_line},
      {"lower case", "http/1.1 200 OK\r\n\r\n", Errc::bad_status_line},
      {"garbage", "SSH-2.0-OpenSSH_9.2p1\r\n", Errc::bad_status_line},
      {"status 600", "HTTP/1.1 600 X\r\n\r\n", Errc::bad_status_line},
      {"status 099", "HTTP/1.1 099 X\r\n\r\n", Errc::bad_status_line},
      {"two digits", "HTTP/1.1 20 OK\r\n\r\n", Errc::bad_status_line},
      {"four digits", "HTTP/1.1 2000 OK\r\n\r\n", Errc::bad_status_line},
      {"two spaces", "HTTP/1.1  200 OK\r\n\r\n", Errc::bad_status_line},
      {"bare LF behind the status", "HTTP/1.1 200 OK\n\n", Errc::bad_line_end},
      {"bare CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n", Errc::bad_line_end},
      {"bare LF behind a field", "HTTP/1.1 200 OK\r\nA: b\n\r\n", Errc::bad_line_end},
      {"bare CR in a value", "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", Errc::bad_line_end},
      {"CR without LF at the end", "HTTP/1.1 200 OK\r\nA: b\r\n\rX", Errc::bad_line_end},
      {"NUL in a value", {"HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n", 28}, Errc::bad_field_value},
      {"no colon", "HTTP/1.1 200 OK\r\nAb\r\n\r\n", Errc::bad_field_name},
      {"no name", "HTTP/1.1 200 OK\r\n: b\r\n\r\n", Errc::bad_field_name},
      {"space before the colon", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", Errc::bad_field_name},
      {"folded", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", Errc::obsolete_fold},
      {"as many fields as fit", "HTTP/1.1 200 OK\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\n\r\n",
       Errc::ok},
      {"one more", "HTTP/1.1 200 OK\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\n\r\n",
       Errc::fields_too_many},
  };
  for (const Case& c : cases) {
    for (std::size_t cut = 0; cut <= c.bytes.size(); ++cut) {
      CAPTURE(c.name);
      CAPTURE(cut);
      Store store;
      const Errc got = verdict(c.bytes.substr(0, cut), store);
      const bool early = cut < c.bytes.size();
      CHECK((got == Errc::need_more ? early : got == c.want && (!early || c.want != Errc::ok)));
    }
  }
}

TEST_CASE("read_response_head: spans") {
  Store store;
  const std::string bytes = "HTTP/1.0 418 I'm a teapot\r\nServer: x\r\nA: \t b c \r\n\r\nbody";
  REQUIRE(read_response_head(bytes, store.head).code == Errc::ok);
  CHECK(store.head.status == 418);
  CHECK(store.head.version_minor == 0);
  CHECK(store.head.reason() == "I'm a teapot");
  REQUIRE(store.head.field_count == 2);
  CHECK(store.head.name(store.fields[1]) == "A");
  CHECK(store.head.value(store.fields[1]) == "b c");
  CHECK(store.head.size == bytes.size() - 4);
}

TEST_CASE("read_response_head: a head ends below the ceiling or is refused") {
  const std::string start = "HTTP/1.1 200 OK\r\nA: ";
  for (const std::size_t over : {std::size_t{0}, std::size_t{1}}) {
    const std::string head =
        start + std::string(head_bytes_ceiling + over - start.size() - 4, 'x') + "\r\n\r\n";
    Store store;
    CHECK(read_response_head(head, store.head).code == (over == 0 ? Errc::ok : Errc::head_too_large));
    if (over == 0) CHECK(store.head.size == head_bytes_ceiling);
  }
}

TEST_CASE("read_response_framing: RFC 9112 section 6.3") {
  struct Case {
    const char* fields;
    ResponseBody want;
    std::uint64_t length;
    bool keep_alive;
  };
  static constexpr Case cases[] = {
      {"Content-Length: 5\r\n", ResponseBody::length, 5, true},
      {"CONTENT-LENGTH: 0\r\n", ResponseBody::none, 0, true},
      {"Transfer-Encoding: chunked\r\n", ResponseBody::chunked, 0, true},
      {"Transfer-Encoding: gzip, Chunked\r\nConnection: x, Close\r\n", ResponseBody::chunked, 0, false},
      {"Transfer-Encoding: gzip\r\n", ResponseBody::until_close, 0, false},
      {"X: y\r\n", ResponseBody::until_close, 0, false},
      {"Content-Length: 5\r\nConnection: close\r\n", ResponseBody::length, 5, false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.fields);
    const Framed got = framed("HTTP/1.1 200 OK\r\n" + std::string(c.fields) + "\r\n");
    CHECK(got.code == Errc::ok);
    CHECK(got.framing.body == c.want);
    CHECK(got.framing.content_length == c.length);
    CHECK(got.framing.keep_alive == c.keep_alive);
  }
  CHECK_FALSE(framed("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n").framing.keep_alive);
  CHECK(framed("HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: Keep-Alive\r\n\r\n").framing.keep_alive);
}

TEST_CASE("read_response_framing: nothing follows some heads, whatever they say") {
  const std::string length = "Content-Length: 5\r\n\r\n";
  CHECK(framed("HTTP/1.1 200 OK\r\n" + length, Method::head).framing.body == ResponseBody::none);
  CHECK(framed("HTTP/1.1 200 OK\r\n" + length, Method::connect).framing.body == ResponseBody::none);
  CHECK(framed("HTTP/1.1 404 No\r\n" + length, Method::connect).framing.body == ResponseBody::length);
  for (const char* status : {"100", "204", "304"}) {
    const Framed got = framed("HTTP/1.1 " + std::string(status) + " X\r\n" + length);
    CHECK(got.framing.body == ResponseBody::none);
    CHECK(got.framing.keep_alive);
  }
}

TEST_CASE("read_response_framing: what could be read in two ways is refused") {
  const auto code = [](const char* version, const char* fields) {
    return framed(std::string(version) + " 200 OK\r\n" + fields + "\r\n").code;
  };
  for (const char* fields :
       {"Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length: 5, 5\r\n", "Content-Length: +5\r\n",
        "Content-Length:\r\n", "Content-Length: 5x\r\n", "Content-Length: 18446744073709551616\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"})
    CHECK(code("HTTP/1.1", fields) == Errc::bad_content_length);
  for (const char* fields :
       {"Transfer-Encoding: chunked, chunked\r\n", "Transfer-Encoding: chunked, gzip\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding:\r\n"})
    CHECK(code("HTTP/1.1", fields) == Errc::bad_transfer_encoding);
  CHECK(code("HTTP/1.0", "Transfer-Encoding: chunked\r\n") == Errc::bad_transfer_encoding);
}
