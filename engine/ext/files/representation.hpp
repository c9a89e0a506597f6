// representation.hpp: a file as it is sent: its head serialised, its bytes in memory or behind a descriptor.
//
// Owner       a Resource; one block of memory holds the struct, the head and the bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/http/accept_encoding.hpp"
#include "engine/net/file_part.hpp"
#include "engine/proto/exchange.hpp"

namespace millrace::files {

/// Files up to this size are kept and sent from memory; larger ones from their descriptor.
inline constexpr std::size_t memory_file_bytes_max = 32 * 1024;

/// What is said of a file beside what the file itself says.
struct Description {
  std::string_view type;
  std::string_view cache_control;  ///< Empty: no such field.
  http::Coding coding = http::Coding::identity;
  bool varies = false;  ///< Other forms of it exist, chosen by Accept-Encoding.
};

/// Of a field value in a Description; checked when a route is made.
inline constexpr std::size_t described_bytes_max = 1024;

struct Representation {
  net::FileRef file;  ///< Null where the bytes are in memory.
  net::FileFacts facts;
  std::int64_t modified_seconds = 0;  ///< As Last-Modified says; 0: it says nothing.
  proto::FixedReply whole;            ///< 200 with its head; `body` is empty where `file` is set.
  // Views of the head.
  std::string_view type;
  std::string_view fields;     ///< All but type and length: "Content-Encoding: ...\r\n"... for a 206.
  std::string_view validated;  ///< Those of a 304: ETag, Last-Modified, Cache-Control, Vary.
  std::string_view etag;       ///< With its quotes.
  std::size_t memory_bytes = 0;
};

/// Reads a small file, keeps the descriptor of a large one. Null where there is no memory, or the file
/// cannot be read or does not hold still; `busy` tells the first from the rest.
Representation* make_representation(net::FileRef file, const Description& description,
                                    std::int64_t now_seconds, bool& busy) noexcept;
void destroy(Representation* representation) noexcept;

}  // namespace millrace::files
