// Goal: each accept/reject edge of a frame's header. Method: every header is also cut at every byte, where
// it may only ask for more or say what it says whole. Source: RFC 6455 section 5.2.
#include "engine/proto/ws/frame.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "engine/proto/ws/close_code.hpp"

using namespace millrace::ws;
using namespace std::string_view_literals;

namespace {

struct Case {
  const char* name;
  std::string_view bytes;
  bool deflate;
  FrameVerdict want;
};

constexpr Case cases[] = {
    {"text, empty", "\x81\x80mask"sv, false, FrameVerdict::whole},
    {"binary, 125 bytes", "\x82\xfdmask"sv, false, FrameVerdict::whole},
    {"126 bytes", "\x82\xfe\x00\x7emask"sv, false, FrameVerdict::whole},
    {"126 bytes in 16 bits, too short a length", "\x82\xfe\x00\x7dmask"sv, false, FrameVerdict::bad},
    {"65,535 bytes", "\x82\xfe\xff\xffmask"sv, false, FrameVerdict::whole},
    {"65,536 bytes", "\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00mask"sv, false, FrameVerdict::whole},
    {"65,535 bytes in 64 bits", "\x82\xff\x00\x00\x00\x00\x00\x00\xff\xffmask"sv, false, FrameVerdict::bad},
    {"longest", "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xffmask"sv, false, FrameVerdict::whole},
    {"top bit", "\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00mask"sv, false, FrameVerdict::bad},
    {"fragment", "\x01\x85mask"sv, false, FrameVerdict::whole},
    {"continuation", "\x00\x85mask"sv, false, FrameVerdict::whole},
    {"no mask", "\x81\x05mask"sv, false, FrameVerdict::bad},
    {"RSV1, nothing agreed", "\xc1\x85mask"sv, false, FrameVerdict::bad},
    {"RSV1, deflate", "\xc1\x85mask"sv, true, FrameVerdict::whole},
    {"RSV1 on a continuation", "\xc0\x85mask"sv, true, FrameVerdict::bad},
    {"RSV1 on a ping", "\xc9\x85mask"sv, true, FrameVerdict::bad},
    {"RSV2", "\xa1\x85mask"sv, true, FrameVerdict::bad},
    {"RSV3", "\x91\x85mask"sv, true, FrameVerdict::bad},
    {"opcode 3", "\x83\x85mask"sv, false, FrameVerdict::bad},
    {"opcode 7", "\x87\x85mask"sv, false, FrameVerdict::bad},
    {"opcode 11", "\x8b\x85mask"sv, false, FrameVerdict::bad},
    {"opcode 15", "\x8f\x85mask"sv, false, FrameVerdict::bad},
    {"close", "\x88\x80mask"sv, false, FrameVerdict::whole},
    {"ping, 125 bytes", "\x89\xfdmask"sv, false, FrameVerdict::whole},
    {"ping, 126 bytes", "\x89\xfe\x00\x7emask"sv, false, FrameVerdict::bad},
    {"pong", "\x8a\x80mask"sv, false, FrameVerdict::whole},
    {"ping in fragments", "\x09\x80mask"sv, false, FrameVerdict::bad},
};

}  // namespace

TEST_CASE("ws frame: headers, whole and cut at every byte") {
  for (const Case& c : cases) {
    for (std::size_t cut = 0; cut <= c.bytes.size(); ++cut) {
      CAPTURE(c.name);
      CAPTURE(cut);
      FrameHeader header;
      const FrameVerdict got = read_frame_header(c.bytes.data(), cut, c.deflate, header);
      if (cut == c.bytes.size()) {
        CHECK(got == c.want);
        if (got == FrameVerdict::whole) CHECK(header.size == cut);
      } else {
        CHECK((got == FrameVerdict::need_more || (got == c.want && got == FrameVerdict::bad)));
      }
    }
  }
}

TEST_CASE("ws frame: what is bad shows as early as its bytes are there") {
  FrameHeader header;
  CHECK(read_frame_header("\xc1", 1, false, header) == FrameVerdict::bad);
  CHECK(read_frame_header("\x81\x05", 2, false, header) == FrameVerdict::bad);
  CHECK(read_frame_header("\x82\xff\x80", 3, false, header) == FrameVerdict::bad);
}

TEST_CASE("ws frame: what is written is read again, but for the mask") {
  for (const std::uint64_t size : {0ull, 1ull, 125ull, 126ull, 65'535ull, 65'536ull, 1ull << 40}) {
    char bytes[received_header_bytes_max] = {};
    const std::size_t written = write_frame_header(bytes, Opcode::binary, true, size);
    CHECK(written <= sent_header_bytes_max);
    bytes[1] = static_cast<char>(bytes[1] | 0x80);
    FrameHeader header;
    REQUIRE(read_frame_header(bytes, written + 4, true, header) == FrameVerdict::whole);
    CHECK(header.payload_bytes == size);
    CHECK(header.opcode == Opcode::binary);
    CHECK(header.fin);
    CHECK(header.compressed);
  }
}

TEST_CASE("ws close codes: which may stand in a frame, RFC 6455 section 7.4") {
  for (const unsigned code : {1000u, 1001u, 1002u, 1003u, 1007u, 1008u, 1009u, 1010u, 1011u, 1012u, 1014u,
                              3000u, 3999u, 4000u, 4999u}) {
    CAPTURE(code);
    CHECK(may_be_sent(code));
  }
  for (const unsigned code :
       {0u, 999u, 1004u, 1005u, 1006u, 1015u, 1016u, 1100u, 2000u, 2999u, 5000u, 65535u}) {
    CAPTURE(code);
    CHECK_FALSE(may_be_sent(code));
  }
}

TEST_CASE("WebSocket frame: a server's frames have no mask, and a client must not take them with one") {
  FrameHeader header;
  CHECK(read_frame_header("\x81\x05hello", 7, false, header, FrameFrom::server) == FrameVerdict::whole);
  CHECK(header.size == 2);
  CHECK(header.payload_bytes == 5);
  CHECK(read_frame_header("\x82\x7e\x01", 3, false, header, FrameFrom::server) == FrameVerdict::need_more);
  CHECK(read_frame_header("\x82\x7e\x01\x00", 4, false, header, FrameFrom::server) == FrameVerdict::whole);
  CHECK(header.size == 4);
  CHECK(header.payload_bytes == 256);
  CHECK(read_frame_header("\x81\x85", 2, false, header, FrameFrom::server) == FrameVerdict::bad);
}
