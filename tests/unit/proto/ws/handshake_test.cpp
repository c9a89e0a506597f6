// Goal: the rules of the opening handshake. Source: RFC 6455 section 4.2, RFC 3174, RFC 7692 section 7.1.
#include "engine/proto/ws/handshake.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "engine/proto/ws/deflate_offer.hpp"
#include "engine/proto/ws/sha1.hpp"

using namespace millrace;
using namespace millrace::ws;

namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

/// A head as spans over text of the test's own.
struct TestHead {
  explicit TestHead(const Fields& named, http::Method method = http::Method::get) {
    fields.resize(named.size());
    for (std::size_t i = 0; i < named.size(); ++i) {
      const auto& [name, value] = named[i];
      fields[i] = {static_cast<std::uint16_t>(text.size()), static_cast<std::uint16_t>(name.size()),
                   static_cast<std::uint16_t>(text.size() + name.size()),
                   static_cast<std::uint16_t>(value.size())};
      text += name + value;
    }
    head.base = text.data();
    head.fields = fields.data();
    head.field_count = static_cast<std::uint16_t>(fields.size());
    head.method = method;
    framing.upgrade = true;
  }
  std::string text;
  std::vector<http::Field> fields;
  http::Head head;
  http::Framing framing;
};

const std::pair<std::string, std::string> upgrade{"Upgrade", "websocket"},
    version{"Sec-WebSocket-Version", "13"}, good_key{"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="};

const Fields no_fields;

HandshakeFault judge(const TestHead& of) {
  std::string_view key;
  return judge_handshake(of.head, of.framing, key);
}

std::string hex(std::string_view text) {
  std::string out;
  for (const unsigned byte : sha1(text)) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

std::string agree(const std::vector<std::string>& offers, const DeflateWish& wish = {}) {
  Fields fields;
  for (const std::string& offer : offers) fields.emplace_back("sec-webSocket-extensions", offer);
  const TestHead of(fields);
  const auto terms = choose_deflate(of.head, wish);
  char out[terms_bytes_max];
  return terms ? std::string(write_terms(out, *terms)) : "";
}

}  // namespace

TEST_CASE("ws sha-1: RFC 3174 section 7.3, and each edge of the padding") {
  CHECK(hex("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK(hex("") == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  CHECK(hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  CHECK(hex(std::string(55, 'a')) == "c1c8bbdc22796e28c0e15163d20899b65621d65a");
  CHECK(hex(std::string(64, 'a')) == "0098ba824b5c16427bd7a1122a5a442a25ec644d");
  CHECK(hex(std::string(119, 'a')) == "ee971065aaa017e0632a8ca6c77bb3bf8b1dfc56");
}

TEST_CASE("ws handshake: the key of RFC 6455 section 1.3") {
  const auto accept = accept_key("dGhlIHNhbXBsZSBub25jZQ==");
  CHECK(std::string_view(accept.data(), accept.size()) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST_CASE("ws handshake: what is asked of a request") {
  CHECK(judge(TestHead(Fields{upgrade, version, good_key})) == HandshakeFault::none);
  CHECK(judge(TestHead(Fields{{"upgrade", "h2c, WebSocket"}, version, good_key})) == HandshakeFault::none);
  CHECK(judge(TestHead(Fields{version, good_key})) == HandshakeFault::no_upgrade);
  CHECK(judge(TestHead(Fields{{"Upgrade", "h2c"}, version, good_key})) == HandshakeFault::no_upgrade);
  CHECK(judge(TestHead(Fields{upgrade, version, good_key}, http::Method::post)) ==
        HandshakeFault::no_upgrade);
  TestHead without_connection(Fields{upgrade, version, good_key});
  without_connection.framing.upgrade = false;
  CHECK(judge(without_connection) == HandshakeFault::no_upgrade);
  CHECK(judge(TestHead(Fields{upgrade, {"Sec-WebSocket-Version", "12"}, good_key})) ==
        HandshakeFault::bad_version);
  CHECK(judge(TestHead(Fields{upgrade, good_key})) == HandshakeFault::bad_version);
  CHECK(judge(TestHead(Fields{upgrade, version, version, good_key})) == HandshakeFault::bad_version);
  CHECK(judge(TestHead(Fields{upgrade, version})) == HandshakeFault::bad_key);
  CHECK(judge(TestHead(Fields{upgrade, version, good_key, good_key})) == HandshakeFault::bad_key);
  for (const char* key :
       {"", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBsZSBub25jZ!==",
        "dGhlIHNhbXBsZSBub25jZR==", "dGhlIHNhbXBsZSBub25jZQQQ", "aaaaaaaaaaaaaaaaaaaaaaaa=="}) {
    CAPTURE(key);
    CHECK(judge(TestHead(Fields{upgrade, version, {"Sec-WebSocket-Key", key}})) == HandshakeFault::bad_key);
  }
}

TEST_CASE("ws handshake: the server's first subprotocol that is offered") {
  const std::vector<std::string> served{"v2.chat", "chat"};
  const auto choose = [&served](const Fields& fields) {
    const std::string* chosen = choose_subprotocol(TestHead(fields).head, served);
    return chosen != nullptr ? *chosen : "";
  };
  CHECK(choose(Fields{{"Sec-WebSocket-Protocol", "chat, v2.chat"}}) == "v2.chat");
  CHECK(choose(Fields{{"Sec-WebSocket-Protocol", "a"}, {"Sec-WebSocket-Protocol", "chat"}}) == "chat");
  CHECK(choose(Fields{{"Sec-WebSocket-Protocol", "Chat"}}) == "");
  CHECK(choose(no_fields) == "");
}

TEST_CASE("ws handshake: pages of the same host, of those named, of all") {
  const std::vector<std::string> none, named{"https://a.example"}, all{"*"};
  const auto allowed = [](const std::string& origin, const std::vector<std::string>& list) {
    return origin_allowed(TestHead(Fields{{"Origin", origin}}).head, "me.example:8080", list);
  };
  CHECK(origin_allowed(TestHead(no_fields).head, "me.example", none));
  CHECK(origin_allowed(TestHead(no_fields).head, "me.example", named));
  CHECK(allowed("http://me.example:8080", none));
  CHECK(allowed("https://ME.example:8080", none));
  CHECK_FALSE(allowed("http://me.example", none));
  CHECK_FALSE(allowed("http://other.example:8080", none));
  CHECK_FALSE(allowed("null", none));
  CHECK_FALSE(allowed("me.example:8080", none));
  CHECK(allowed("https://a.example", named));
  CHECK_FALSE(allowed("http://me.example:8080", named));
  CHECK(allowed("null", all));
  const TestHead twice(Fields{{"Origin", "http://me.example:8080"}, {"Origin", "http://me.example:8080"}});
  CHECK_FALSE(origin_allowed(twice.head, "me.example:8080", all));
}

TEST_CASE("ws deflate offers: RFC 7692 section 7.1") {
  const std::string none = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
  CHECK(agree({"permessage-deflate"}) == none);
  CHECK(agree({}) == "");
  CHECK(agree({"x-webkit-deflate-frame"}) == "");
  CHECK(agree({"foo, permessage-deflate; client_max_window_bits"}) == none);
  CHECK(agree({"foo", "Permessage-Deflate"}) == none);
  CHECK(agree({"permessage-deflate"}, {.takeover = true}) == "permessage-deflate");
  CHECK(agree({"permessage-deflate; server_no_context_takeover"}, {.takeover = true}) ==
        "permessage-deflate; server_no_context_takeover");
  CHECK(agree({"permessage-deflate; client_no_context_takeover"}, {.takeover = true}) ==
        "permessage-deflate; client_no_context_takeover");
  CHECK(agree({"permessage-deflate; server_max_window_bits=10"}) == none + "; server_max_window_bits=10");
  CHECK(agree({"permessage-deflate; server_max_window_bits=\"10\""}) == none + "; server_max_window_bits=10");
  CHECK(agree({"permessage-deflate"}, {.window_bits = 11}) == none + "; server_max_window_bits=11");
  CHECK(agree({"permessage-deflate; client_max_window_bits"}, {.window_bits = 11}) ==
        none + "; server_max_window_bits=11; client_max_window_bits=11");
  CHECK(agree({"permessage-deflate; client_max_window_bits=10"}, {.window_bits = 11}) ==
        none + "; server_max_window_bits=11");
  // Declined: what zlib cannot do, what nobody knows, what is there twice or has a wrong value.
  for (const char* parameter :
       {"server_max_window_bits=8", "server_max_window_bits", "server_max_window_bits=16",
        "server_max_window_bits=09", "server_max_window_bits=1x", "client_max_window_bits=7",
        "client_max_window_bits=", "server_no_context_takeover=1",
        "client_no_context_takeover; client_no_context_takeover",
        "client_max_window_bits; client_max_window_bits",
        "server_no_context_takeover; server_no_context_takeover",
        "server_max_window_bits=10; server_max_window_bits=10", "other", ""}) {
    CAPTURE(parameter);
    const std::string offer = std::string("permessage-deflate; ") + parameter;
    CHECK(agree({offer}) == (*parameter == '\0' ? none : ""));
    CHECK(agree({offer + ", permessage-deflate"}) == none);
  }
}
