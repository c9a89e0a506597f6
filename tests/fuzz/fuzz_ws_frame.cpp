// fuzz_ws_frame.cpp: a frame's header cut anywhere, unmasking in any parts, and text checked as it grows.
//
// Input       the first byte: bit 0 says whether deflate was agreed on, the rest seeds the cuts.
// Property    a cut header asks for more or says what it says whole; unmasking in parts and text checked in
//             parts give what they give whole; a header that is good has its shortest form.
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/assert.hpp"
#include "engine/proto/ws/frame.hpp"
#include "engine/proto/ws/mask.hpp"
#include "engine/proto/ws/utf8.hpp"

namespace {

using namespace millrace::ws;

void check_header(std::string_view bytes, bool deflate) {
  FrameHeader whole;
  const FrameVerdict verdict = read_frame_header(bytes.data(), bytes.size(), deflate, whole);
  for (std::size_t cut = 0; cut < bytes.size() && cut < received_header_bytes_max; ++cut) {
    FrameHeader header;
    const std::string copy(bytes.substr(0, cut));  // Of its own, so that a read past the end shows.
    const FrameVerdict early = read_frame_header(copy.data(), cut, deflate, header);
    MR_ASSERT(early == FrameVerdict::need_more || early == verdict);
  }
  if (verdict != FrameVerdict::whole) return;
  MR_ASSERT(whole.size <= received_header_bytes_max);
  char written[sent_header_bytes_max];
  const std::size_t size = write_frame_header(written, whole.opcode, whole.compressed, whole.payload_bytes);
  MR_ASSERT(size + 4 == whole.size);
}

void check_payload(std::string_view bytes, std::size_t step) {
  const std::uint32_t mask = 0x9f3c017a;
  std::string whole(bytes.size(), '\0'), parts(bytes.size(), '\0');
  unmask(whole.data(), bytes.data(), bytes.size(), mask, 0);
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    unmask(parts.data() + at, bytes.data() + at, std::min(step, bytes.size() - at), mask, at);
  }
  MR_ASSERT(whole == parts);

  const bool good = check_utf8(bytes, 0) == bytes.size();
  std::size_t checked = 0;
  for (std::size_t end = 0; end < bytes.size() && checked != not_utf8;) {
    end = std::min(end + step, bytes.size());
    checked = check_utf8(bytes.substr(0, end), checked);
    MR_ASSERT(checked == not_utf8 || (checked <= end && checked + 3 >= end));
  }
  MR_ASSERT((checked == bytes.size()) == good);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  check_header(bytes, (data[0] & 1) != 0);
  check_payload(bytes, 1 + data[0] / 2 % 40);
  return 0;
}
