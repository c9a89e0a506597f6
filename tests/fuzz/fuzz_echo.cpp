// fuzz_echo.cpp: what a WebSocket server sends to the load generator, cut anywhere.
//
// Input       an answer to the opening handshake and the frames behind it; or 'f', and frames behind a good answer.
// Property    however it is cut, the steps are those that a reader of whole frames takes, up to the first fault;
//             each call eats something; a reader that was reset reads as a new one.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/assert.hpp"
#include "engine/ext/bench/echo_reader.hpp"

namespace {

using namespace millrace;
using bench::EchoReader;
using bench::EchoStep;

constexpr std::string_view wanted = "hello";
constexpr std::string_view accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";  // RFC 6455 section 1.3.
constexpr std::string_view opening =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
constexpr std::size_t cuts_max = 512;

struct Steps {
  std::string lines;  ///< One for each step, and one more where the bytes end inside of something.
  std::size_t opening_bytes = 0;
  bool faulty = false;
};

/// The steps of frames that lie in one piece.
std::string whole_frames(std::string_view bytes) {
  std::string lines, message;
  bool in_message = false, text = false;
  while (!bytes.empty()) {
    ws::FrameHeader frame;
    const ws::FrameVerdict verdict =
        ws::read_frame_header(bytes.data(), bytes.size(), false, frame, ws::FrameFrom::server);
    if (verdict == ws::FrameVerdict::need_more) break;
    const bool control = ws::is_control(frame.opcode), first = frame.opcode != ws::Opcode::continuation;
    if (verdict == ws::FrameVerdict::bad || (!control && first == in_message)) return lines + "fault\n";
    if (!control && first) {
      in_message = true;
      text = frame.opcode == ws::Opcode::text;
      message.clear();
    }
    if (bytes.size() - frame.size < frame.payload_bytes) break;
    const std::string_view payload = bytes.substr(frame.size, frame.payload_bytes);
    bytes.remove_prefix(frame.size + payload.size());
    if (frame.opcode == ws::Opcode::ping) lines.append("ping ").append(payload).append("\n");
    if (frame.opcode == ws::Opcode::close) lines += "close\n";
    if (control) continue;
    message += payload;
    if (!frame.fin) continue;
    in_message = false;
    lines += text && message == wanted ? "echo\n" : "another echo\n";
  }
  return bytes.empty() && !in_message ? lines : lines + "inside\n";
}

/// False: the reader gives up.
bool take(EchoReader& reader, std::string_view piece, Steps& steps) {
  const std::string copy(piece);  // Of its own, so that a read past the end shows.
  for (std::size_t eaten = 0; eaten != copy.size();) {
    const bench::EchoTaken taken = reader.take(copy.data() + eaten, copy.size() - eaten, wanted);
    MR_ASSERT(taken.bytes != 0 && taken.bytes <= copy.size() - eaten);
    if (!reader.opened() || taken.step == EchoStep::opened) steps.opening_bytes += taken.bytes;
    eaten += taken.bytes;
    switch (taken.step) {
      case EchoStep::need_more: break;
      case EchoStep::opened: steps.lines += "opened\n"; break;
      case EchoStep::message: steps.lines += taken.fault.empty() ? "echo\n" : "another echo\n"; continue;
      case EchoStep::ping: steps.lines.append("ping ").append(reader.ping()).append("\n"); break;
      case EchoStep::close: steps.lines += "close\n"; break;
    }
    if (!taken.fault.empty()) {
      steps.lines += "fault\n";
      steps.faulty = true;
      return false;
    }
  }
  return true;
}

/// The first `cut` bytes in pieces of `step`, the others in one.
Steps read(EchoReader& reader, std::string_view bytes, std::size_t cut, std::size_t step) {
  Steps steps;
  reader.reset();
  bool going = true;
  for (std::size_t at = 0; going && at < cut; at += step)
    going = take(reader, bytes.substr(at, std::min(step, cut - at)), steps);
  if (going && cut != bytes.size()) take(reader, bytes.substr(cut), steps);
  if (!steps.faulty && reader.inside()) steps.lines += "inside\n";
  return steps;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string bytes(reinterpret_cast<const char*>(data), size);
  const bool opened = bytes[0] == 'f';  // The good answer need not be cut each time.
  if (opened) bytes.replace(0, 1, opening);
  EchoReader reader(accept);
  const Steps whole = read(reader, bytes, 0, 1);
  if (whole.lines.starts_with("opened\n"))
    MR_ASSERT(whole.lines == "opened\n" + whole_frames(std::string_view(bytes).substr(whole.opening_bytes)));
  const std::size_t first = opened ? opening.size() : 1, end = std::min(bytes.size(), first + cuts_max);
  for (std::size_t cut = first; cut < end; ++cut)
    MR_ASSERT(read(reader, bytes, cut, cut).lines == whole.lines);
  MR_ASSERT(read(reader, bytes, end, 1).lines == whole.lines);
  return 0;
}
