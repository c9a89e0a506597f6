#include "engine/ext/bench/messages.hpp"

#include <fmt/format.h>

#include "engine/proto/ws/frame.hpp"
#include "engine/proto/ws/handshake.hpp"
#include "engine/proto/ws/mask.hpp"

namespace millrace::bench {
namespace {

constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string masked_frame(ws::Opcode opcode, std::string_view payload, std::uint32_t mask) {
  char header[ws::sent_header_bytes_max];
  const std::size_t header_bytes = ws::write_frame_header(header, opcode, false, payload.size());
  header[1] = static_cast<char>(header[1] | 0x80);
  std::string frame(header, header_bytes);
  frame.append(reinterpret_cast<const char*>(&mask), sizeof mask).append(payload);
  ws::unmask(frame.data() + header_bytes + sizeof mask, payload.data(), payload.size(), mask, 0);
  return frame;
}

}  // namespace

std::string random_key(std::random_device& random) {
  std::string key;
  for (int digit = 0; digit != 21; ++digit) key += base64_digits[random() % 64];
  key += base64_digits[random() % 4 * 16];  // 128 bits: the last of the 22 digits has two of them.
  return key + "==";
}

std::string accept_of(const std::string& key) {
  const auto accept = ws::accept_key(key);
  return {accept.data(), accept.size()};
}

std::string opening_request(std::string_view target, std::string_view fields, std::string_view key) {
  return fmt::format(
      "GET {} HTTP/1.1\r\n{}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: {}\r\n\r\n",
      target, fields, key);
}

std::string message_text(std::size_t bytes, unsigned kind) {
  std::string text(bytes, ' ');
  for (std::size_t at = 0; at != bytes; ++at) text[at] = static_cast<char>('a' + (at + 3 * kind) % 26);
  return text;
}

std::string text_frame(std::string_view text, std::uint32_t mask) {
  return masked_frame(ws::Opcode::text, text, mask);
}

std::string pong_frame(std::string_view ping, std::uint32_t mask) {
  return masked_frame(ws::Opcode::pong, ping, mask);
}

}  // namespace millrace::bench
