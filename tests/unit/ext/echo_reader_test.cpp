// Goal: what a WebSocket server may send is taken, whatever comes in one piece, and what it may not is told.
#include "engine/ext/bench/echo_reader.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "engine/ext/bench/messages.hpp"

using namespace millrace;
using namespace millrace::bench;

namespace {

const std::string key = "dGhlIHNhbXBsZSBub25jZQ==";         // RFC 6455 section 1.3,
const std::string accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";  // and its answer.
const std::string opening =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: " +
    accept + "\r\n\r\n";

std::string frame(unsigned first, std::string_view payload) {
  std::string bytes{static_cast<char>(first), static_cast<char>(payload.size())};
  return bytes.append(payload);
}

/// A word for each step; what comes in pieces of `step` bytes.
std::vector<std::string> read(const std::string& bytes, std::size_t step, std::string_view wanted = "hello") {
  EchoReader reader(accept);
  std::vector<std::string> words;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    const std::string piece = bytes.substr(at, step);
    for (std::size_t eaten = 0; eaten != piece.size();) {
      const EchoTaken taken = reader.take(piece.data() + eaten, piece.size() - eaten, wanted);
      REQUIRE(taken.bytes <= piece.size() - eaten);
      eaten += taken.bytes;
      switch (taken.step) {
        case EchoStep::need_more: break;
        case EchoStep::opened: words.emplace_back("opened"); break;
        case EchoStep::message: words.emplace_back(taken.fault.empty() ? "echo" : taken.fault); break;
        case EchoStep::ping: words.push_back("ping " + std::string(reader.ping())); break;
        case EchoStep::close: words.emplace_back("close"); break;
      }
      if (taken.step != EchoStep::message && !taken.fault.empty()) {
        words.push_back(taken.fault);
        return words;
      }
    }
  }
  if (reader.inside()) words.emplace_back("inside");
  return words;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("EchoReader: the same steps for pieces of any length") {
  const std::string bytes = opening + frame(0x81, "hello") + frame(0x89, "p") + frame(0x01, "he") +
                            frame(0x8a, "") + frame(0x00, "") + frame(0x80, "llo") + frame(0x81, "hullo") +
                            frame(0x81, "hello!") + frame(0x82, "hello") + frame(0x88, "\x03\xe8");
  const Words wanted{"opened",
                     "echo",
                     "ping p",
                     "echo",
                     "an echo of 5 bytes that is not the message of 5",
                     "an echo of 6 bytes that is not the message of 5",
                     "an echo of 5 bytes that is not the message of 5",
                     "close"};
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    CAPTURE(step);
    REQUIRE(read(bytes, step) == wanted);
  }
  CHECK(read(opening.substr(0, 30), 7) == Words{"inside"});
  CHECK(read(opening + frame(0x81, "hello").substr(0, 1), 500) == Words{"opened", "inside"});
  CHECK(read(opening + frame(0x01, "hello"), 500) == Words{"opened", "inside"});
}

TEST_CASE("EchoReader: long messages") {
  for (const std::size_t bytes :
       {std::size_t{125}, std::size_t{126}, std::size_t{65'535}, std::size_t{65'536}}) {
    CAPTURE(bytes);
    const std::string text = message_text(bytes, 1);
    std::string echo = text_frame(text, 0);  // A mask of zeros: take its bit and its bytes away.
    echo[1] = static_cast<char>(echo[1] & 0x7f);
    echo.erase(echo.size() - text.size() - 4, 4);
    for (const std::size_t step : {std::size_t{1}, std::size_t{9}, echo.size() + opening.size()})
      CHECK(read(opening + echo, step, text) == Words{"opened", "echo"});
  }
}

TEST_CASE("EchoReader: what is no WebSocket") {
  const auto with = [](const std::string& from, const std::string& to) {
    std::string text = opening;
    return text.replace(text.find(from), from.size(), to);
  };
  CHECK(read("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 9) == Words{"no WebSocket: status 404"});
  CHECK(read(with("Upgrade: WebSocket", "Upgrade: h2c"), 9) ==
        Words{"no WebSocket: there is no `Upgrade: websocket`"});
  CHECK(read(with(accept, "abc"), 9) == Words{"no WebSocket: Sec-WebSocket-Accept is wrong"});
  CHECK(read(with("Connection", "Sec-WebSocket-Extensions: permessage-deflate\r\nConnection"), 9) ==
        Words{"an extension that nobody offered"});
  CHECK(read("SSH-2.0-OpenSSH_9.2\r\n", 30) == Words{"not an answer of HTTP/1.1 (bad_status_line)"});
}

TEST_CASE("EchoReader: broken frames") {
  for (const std::string& bytes : {text_frame("hello", 7),  // A server must not mask.
                                   frame(0xc1, "hello"), frame(0x83, ""), frame(0x80, "no beginning"),
                                   frame(0x01, "he") + frame(0x81, "no end before")}) {
    CAPTURE(bytes);
    CHECK(read(opening + bytes, 500).back() == "a broken frame");
  }
}

TEST_CASE("messages: a client's frames are masked, and its handshake is RFC 6455's") {
  CHECK(accept_of(key) == accept);
  CHECK(text_frame("ab", 0x0404'0404) == std::string("\x81\x82\x04\x04\x04\x04") + "ef");
  CHECK(pong_frame("", 1).substr(0, 2) == "\x8a\x80");
  CHECK(message_text(40, 0) != message_text(40, 1));
  std::random_device random;
  const std::string one = random_key(random);
  CHECK(one.size() == 24);
  CHECK(one.ends_with("=="));
  CHECK(one != random_key(random));
  CHECK(opening_request("/a", "Host: b\r\n", key) ==
        "GET /a HTTP/1.1\r\nHost: b\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
            key + "\r\n\r\n");
}
