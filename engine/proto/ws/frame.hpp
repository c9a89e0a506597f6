// frame.hpp: the header of a WebSocket frame, read and written. Source: RFC 6455 section 5.2.
#pragma once

#include <cstddef>
#include <cstdint>

namespace millrace::ws {

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

inline bool is_control(Opcode opcode) noexcept { return static_cast<unsigned>(opcode) >= 8; }

/// Largest payload of a control frame, in bytes (section 5.5).
inline constexpr std::size_t control_bytes_max = 125;
/// Of a frame that a server sends (no mask), and of one that it receives.
inline constexpr std::size_t sent_header_bytes_max = 10;
inline constexpr std::size_t received_header_bytes_max = 14;

struct FrameHeader {
  std::uint64_t payload_bytes = 0;
  std::uint32_t mask = 0;  ///< As the four bytes lie in memory.
  Opcode opcode = Opcode::continuation;
  std::uint8_t size = 0;  ///< Of the header itself.
  bool fin = false;
  bool compressed = false;  ///< RSV1: RFC 7692 section 6.
};

enum class FrameVerdict : std::uint8_t {
  whole,
  need_more,  ///< Cut: call again with more bytes.
  bad,        ///< Close with 1002.
};

/// Who sent a frame: a client masks its frames, a server must not (section 5.1).
enum class FrameFrom : std::uint8_t { client, server };

/// Reads the header of a frame.
///
/// data, size  from the header's first byte on; may be cut anywhere; not retained.
/// deflate     permessage-deflate was agreed on, so RSV1 may stand on a message's first frame.
/// Returns  whole; need_more; or bad: a reserved bit or opcode, a control frame that is fragmented or
///          longer than control_bytes_max, a mask missing or out of place, a length that is not in its shortest form or has its
///          top bit set. What is bad is told as early as the bytes show it. Never allocates.
FrameVerdict read_frame_header(const char* data, std::size_t size, bool deflate, FrameHeader& out,
                               FrameFrom from = FrameFrom::client) noexcept;

/// Writes the header of an unmasked, final frame; `to` has sent_header_bytes_max bytes of room.
/// Returns the bytes written: 2, 4 or 10.
std::size_t write_frame_header(char* to, Opcode opcode, bool compressed,
                               std::uint64_t payload_bytes) noexcept;

}  // namespace millrace::ws
