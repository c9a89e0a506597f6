// deflate.hpp: one message, compressed or expanded by zlib. Source: RFC 7692 section 7.2.
//
// Owner       one a core for connections that keep no context (both are reset after each message, so a
//             connection costs nothing); one a connection for those that do.
// Memory      from the core's pool: 1 << (window_bits + 3), and some 8 KiB, to compress; 1 << window_bits and
//             some 10 KiB to expand.
// When full   ready() is false, or the call says so.
#pragma once

#define ZLIB_CONST
#include <zlib.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/mem/block_pool.hpp"
#include "engine/proto/ws/bytes.hpp"

namespace millrace::ws {

/// What zlib takes of the pool. It frees by address, so the blocks are noted here.
class DeflateMemory {
 public:
  explicit DeflateMemory(mem::BlockPool& pool) noexcept : pool_(pool) {}
  DeflateMemory(const DeflateMemory&) = delete;
  DeflateMemory& operator=(const DeflateMemory&) = delete;

  void attach(z_stream& stream) noexcept;

 private:
  static void* take(void* self, unsigned items, unsigned size) noexcept;
  static void give(void* self, void* address) noexcept;
  mem::BlockPool& pool_;
  std::array<mem::Block, 8> blocks_{};  // zlib takes five at most.
};

class Deflater {
 public:
  Deflater(mem::BlockPool& pool, unsigned window_bits) noexcept;
  ~Deflater();
  bool ready() const noexcept { return ready_; }
  /// Appends `message`, not empty, as the payload of a compressed one. False when memory is out: then the
  /// context is as if the message had not been.
  bool compress(std::string_view message, bool keep_context, mem::BlockPool& pool, Bytes& out) noexcept;

 private:
  DeflateMemory memory_;
  z_stream stream_{};
  bool ready_;
};

enum class InflateOutcome : std::uint8_t { done, bad, too_large, no_memory };
/// What is expanded: a text is judged as UTF-8 (RFC 6455 section 8.1).
enum class Content : std::uint8_t { bytes, text };

class Inflater {
 public:
  Inflater(mem::BlockPool& pool, unsigned window_bits) noexcept;
  ~Inflater();
  bool ready() const noexcept { return ready_; }
  /// Puts the message behind `payload`, of at most bytes_max bytes, into `out`, which is empty; expansion stops
  /// there, so a bomb costs no more than that. `bad`: not a DEFLATE stream, one that ends within a block, or a
  /// text that is none: nothing is expanded past the step in which that shows.
  InflateOutcome expand(std::string_view payload, Content content, bool keep_context, std::size_t bytes_max,
                        mem::BlockPool& pool, Bytes& out) noexcept;

 private:
  InflateOutcome run(std::string_view input, Content content, std::size_t bytes_max, mem::BlockPool& pool,
                     Bytes& out) noexcept;
  DeflateMemory memory_;
  z_stream stream_{};
  std::size_t checked_ = 0;  ///< Bytes of the message that are known to be UTF-8.
  bool ready_;
};

}  // namespace millrace::ws
