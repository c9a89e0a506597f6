#include "engine/ext/bench/echo_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/base/assert.hpp"
#include "engine/http/match.hpp"
#include "engine/http/response_head.hpp"

namespace millrace::bench {
namespace {

constexpr std::uint16_t fields_max = 256;

/// RFC 6455 section 4.1, what the client must validate.
std::string judge_opening(const http::ResponseHead& head, std::string_view accept) {
  if (head.status != 101) return fmt::format("no WebSocket: status {}", head.status);
  std::string_view found;
  bool upgrade = false;
  for (const http::Field* field = head.fields; field != head.fields + head.field_count; ++field) {
    const std::string_view name = head.name(*field);
    if (http::matches_lower(name, "sec-websocket-accept")) found = head.value(*field);
    if (http::matches_lower(name, "upgrade")) upgrade = http::matches_lower(head.value(*field), "websocket");
    if (http::matches_lower(name, "sec-websocket-extensions")) return "an extension that nobody offered";
  }
  if (!upgrade) return "no WebSocket: there is no `Upgrade: websocket`";
  return found == accept ? std::string() : "no WebSocket: Sec-WebSocket-Accept is wrong";
}

}  // namespace

EchoTaken EchoReader::take(const char* bytes, std::size_t size, std::string_view wanted) {
  MR_ASSERT(size != 0);
  if (!opened_) return take_opening(bytes, size);
  EchoTaken taken;
  if (!in_frame_) {
    control_.clear();
    taken = take_header(bytes, size);
    if (!in_frame_) return taken;
  }
  if (taken.bytes == size && frame_bytes_ != frame_.payload_bytes) return taken;
  EchoTaken payload = take_payload(bytes + taken.bytes, size - taken.bytes, wanted);
  payload.bytes += taken.bytes;
  return payload;
}

EchoTaken EchoReader::take_opening(const char* bytes, std::size_t size) {
  const std::size_t carried = carry_.size();
  carry_.append(bytes, std::min<std::size_t>(size, http::head_bytes_ceiling));
  std::array<http::Field, fields_max> fields;
  http::ResponseHead head;
  head.fields = fields.data();
  head.fields_max = fields_max;
  const Error error = http::read_response_head(carry_, head);
  if (error.code == Errc::need_more) return {.bytes = size};
  std::string fault = error.failed() ? fmt::format("not an answer of HTTP/1.1 ({})", name_of(error.code))
                                     : judge_opening(head, accept_);
  if (!fault.empty()) return {.bytes = size, .fault = std::move(fault)};
  opened_ = true;
  carry_.clear();
  return {.step = EchoStep::opened, .bytes = head.size - carried};
}

EchoTaken EchoReader::take_header(const char* bytes, std::size_t size) {
  const std::size_t carried = carry_.size();
  carry_.append(bytes, std::min(size, ws::sent_header_bytes_max - carried));
  const ws::FrameVerdict verdict =
      ws::read_frame_header(carry_.data(), carry_.size(), false, frame_, ws::FrameFrom::server);
  if (verdict == ws::FrameVerdict::need_more) return {.bytes = size};
  const bool continues = frame_.opcode == ws::Opcode::continuation;
  if (verdict == ws::FrameVerdict::bad || (!ws::is_control(frame_.opcode) && continues != in_message_)) {
    return {.bytes = size, .fault = "a broken frame"};
  }
  carry_.clear();
  in_frame_ = true;
  frame_bytes_ = 0;
  if (!ws::is_control(frame_.opcode) && !continues) {
    in_message_ = true;
    message_bytes_ = 0;
    wrong_ = frame_.opcode != ws::Opcode::text;  // As it was sent.
  }
  return {.bytes = frame_.size - carried};
}

EchoTaken EchoReader::take_payload(const char* bytes, std::size_t size, std::string_view wanted) {
  const auto part =
      static_cast<std::size_t>(std::min<std::uint64_t>(frame_.payload_bytes - frame_bytes_, size));
  const std::string_view payload(bytes, part);
  if (ws::is_control(frame_.opcode)) {
    control_ += payload;
  } else {
    wrong_ = wrong_ || message_bytes_ + part > wanted.size() ||
             wanted.substr(static_cast<std::size_t>(message_bytes_), part) != payload;
    message_bytes_ += part;
  }
  frame_bytes_ += part;
  return frame_bytes_ == frame_.payload_bytes ? finish_frame(part, wanted) : EchoTaken{.bytes = part};
}

EchoTaken EchoReader::finish_frame(std::size_t bytes, std::string_view wanted) {
  in_frame_ = false;
  switch (frame_.opcode) {
    case ws::Opcode::ping: return {.step = EchoStep::ping, .bytes = bytes};
    case ws::Opcode::close: return {.step = EchoStep::close, .bytes = bytes};
    case ws::Opcode::pong: return {.bytes = bytes};
    case ws::Opcode::continuation:
    case ws::Opcode::text:
    case ws::Opcode::binary: break;
  }
  if (!frame_.fin) return {.bytes = bytes};
  in_message_ = false;
  EchoTaken taken{.step = EchoStep::message, .bytes = bytes};
  if (wrong_ || message_bytes_ != wanted.size())
    taken.fault =
        fmt::format("an echo of {} bytes that is not the message of {}", message_bytes_, wanted.size());
  return taken;
}

void EchoReader::reset() noexcept {
  carry_.clear();
  control_.clear();
  opened_ = in_frame_ = in_message_ = false;
}

}  // namespace millrace::bench
