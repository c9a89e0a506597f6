#include "engine/proto/ws/frame.hpp"

#include <cstring>

namespace millrace::ws {
namespace {

constexpr unsigned fin_bit = 0x80, rsv1_bit = 0x40, rsv23_bits = 0x30, opcode_bits = 0x0f;
constexpr unsigned mask_bit = 0x80, length_bits = 0x7f;
constexpr unsigned length_of_2 = 126, length_of_8 = 127;

unsigned byte_at(const char* data, std::size_t at) noexcept { return static_cast<unsigned char>(data[at]); }

std::uint64_t read_big_endian(const char* data, std::size_t bytes) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | byte_at(data, i);
  return value;
}

bool known(unsigned opcode) noexcept { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

}  // namespace

FrameVerdict read_frame_header(const char* data, std::size_t size, bool deflate, FrameHeader& out,
                               FrameFrom from) noexcept {
  if (size == 0) return FrameVerdict::need_more;
  const unsigned first = byte_at(data, 0);
  const unsigned opcode = first & opcode_bits;
  const bool control = opcode >= 8;
  out.fin = (first & fin_bit) != 0;
  out.compressed = (first & rsv1_bit) != 0;
  out.opcode = static_cast<Opcode>(opcode);
  if (!known(opcode) || (first & rsv23_bits) != 0 || (control && !out.fin)) return FrameVerdict::bad;
  if (out.compressed && (!deflate || control || out.opcode == Opcode::continuation)) return FrameVerdict::bad;
  if (size < 2) return FrameVerdict::need_more;

  const unsigned second = byte_at(data, 1);
  const unsigned length = second & length_bits;
  const bool masked = (second & mask_bit) != 0;
  if (masked != (from == FrameFrom::client) || (control && length > control_bytes_max))
    return FrameVerdict::bad;
  const std::size_t length_bytes = length == length_of_8 ? 8 : length == length_of_2 ? 2 : 0;
  if (length_bytes == 8 && size > 2 && (byte_at(data, 2) & 0x80) != 0) return FrameVerdict::bad;
  out.size = static_cast<std::uint8_t>(2 + length_bytes + (masked ? sizeof out.mask : 0));
  if (size < 2 + length_bytes) return FrameVerdict::need_more;
  out.payload_bytes = length_bytes == 0 ? length : read_big_endian(data + 2, length_bytes);
  if (length_bytes == 2 && out.payload_bytes < length_of_2) return FrameVerdict::bad;
  if (length_bytes == 8 && out.payload_bytes <= 0xffff) return FrameVerdict::bad;
  if (size < out.size) return FrameVerdict::need_more;
  if (masked) std::memcpy(&out.mask, data + 2 + length_bytes, sizeof out.mask);
  return FrameVerdict::whole;
}

std::size_t write_frame_header(char* to, Opcode opcode, bool compressed,
                               std::uint64_t payload_bytes) noexcept {
  to[0] = static_cast<char>(fin_bit | (compressed ? rsv1_bit : 0) | static_cast<unsigned>(opcode));
  if (payload_bytes < length_of_2) {
    to[1] = static_cast<char>(payload_bytes);
    return 2;
  }
  const std::size_t length_bytes = payload_bytes <= 0xffff ? 2 : 8;
  to[1] = static_cast<char>(length_bytes == 2 ? length_of_2 : length_of_8);
  for (std::size_t i = 0; i < length_bytes; ++i) {
    to[2 + i] = static_cast<char>(payload_bytes >> (8 * (length_bytes - 1 - i)));
  }
  return 2 + length_bytes;
}

}  // namespace millrace::ws
