// chunked.hpp: the chunked transfer coding, decoded in place. Source: RFC 9112 section 7.1.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/base/result.hpp"

namespace millrace::http {

struct ChunkLimits {
  std::uint64_t body_bytes_max = 8ull << 20;      ///< Decoded body (413).
  std::uint32_t extension_bytes_max = 16 * 1024;  ///< All chunk extensions of a message together (400).
  std::uint32_t size_digits_max = 16;  ///< Hex digits of a size after leading zeros; zeros count to 64 (400).
  std::uint32_t trailer_bytes_max = 16 * 1024;  ///< Trailer section (431).
  std::uint16_t trailer_fields_max = 100;       ///< (431)
  /// Framing bytes a body may have beyond as many as its data: a flood of one-byte chunks, five bytes
  /// of framing each, is refused (400).
  std::uint32_t overhead_grace_bytes = 256 * 1024;
};

/// Plain data, resumable at every byte; zero-initialised is the start of a body. 48 bytes or fewer,
/// because it lives in the connection.
struct ChunkedState {
  std::uint64_t body_bytes = 0;  ///< Decoded so far.
  std::uint64_t chunk_left_bytes = 0;
  std::uint32_t overhead_bytes = 0;  ///< Framing bytes so far, extensions included.
  std::uint32_t extension_bytes = 0;
  std::uint32_t trailer_bytes = 0;
  std::uint16_t trailer_fields = 0;
  std::uint8_t digits = 0;
  std::uint8_t step = 0;  ///< Where in the grammar; private to chunked.cpp.
};

struct ChunkedProgress {
  std::size_t consumed_bytes = 0;  ///< Input eaten, from `in`.
  std::size_t written_bytes = 0;   ///< Data written to `out`.
  bool done = false;               ///< The whole message, trailers included, is behind us.
};

/// Decodes as much of `in` as there is. `out` may be at or before `in` in the same buffer (data is
/// moved down over the framing); written never overtakes consumed.
/// trailers_out: where each valid trailer line is copied, CRLF included ("name: value\r\n"), the
/// fields that must not be merged (framing, routing, authentication; RFC 9110 section 6.5.1) left
/// out; may be null to drop all. At least trailer_bytes_max long; *trailers_size grows.
/// Returns progress; or an Error: bad_chunk 400, body_too_large 413, bad_trailer 400, trailers_too_large 431.
/// O(in_size); never allocates.
Result<ChunkedProgress> decode_chunked(ChunkedState& state, const ChunkLimits& limits, const char* in,
                                       std::size_t in_size, char* out, char* trailers_out,
                                       std::size_t* trailers_size) noexcept;

/// Writes "<hex>\r\n" of a chunk's size; returns the bytes written, at most 18.
std::size_t encode_chunk_size(std::uint64_t size_bytes, char* out) noexcept;

}  // namespace millrace::http
