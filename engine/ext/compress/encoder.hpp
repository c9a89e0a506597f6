// encoder.hpp: a content coding as it is written: bytes in, coded bytes out, whole or in parts.
//
// Implemented by gzip.cpp (zlib, RFC 1952), brotli.cpp (RFC 7932) and zstd.cpp (RFC 8878), where their library
// was found when the engine was built.
// Memory      of one encoder, at the default levels: gzip 256 KiB, br about 1 MiB, zstd about 1 MiB.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/http/accept_encoding.hpp"

namespace millrace::coding {

enum class Flush : std::uint8_t {
  none,  ///< The encoder may keep what it likes.
  part,  ///< All that was written so far can be decoded from what has come out.
  end,   ///< Nothing follows.
};

class Encoder {
 public:
  virtual ~Encoder() = default;
  /// Appends what comes out to `out`. False where the library fails, for want of memory: then it is useless.
  virtual bool write(std::string_view bytes, Flush flush, std::string& out) = 0;
  /// Begins another content. False as above.
  virtual bool reset() = 0;
};

/// Of each library's own scale; the same for every reply.
struct Levels {
  int gzip = 5;    ///< 1 to 9.
  int brotli = 4;  ///< 0 to 11.
  int zstd = 3;    ///< 1 to 19.
  bool operator==(const Levels&) const = default;
};

/// Null for identity, for a coding that was not built in, and without memory.
std::unique_ptr<Encoder> make_encoder(http::Coding coding, const Levels& levels);

/// Whether make_encoder() knows it.
bool is_built_in(http::Coding coding) noexcept;

}  // namespace millrace::coding
