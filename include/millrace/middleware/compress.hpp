// compress.hpp: middleware that compresses replies for clients that ask for it.
//
//   app.use(mr::compress());
//
// Codings     zstd, br and gzip, as far as the engine was built with their libraries; which one is the client's
//             choice (Accept-Encoding, RFC 9110 section 12.5.3).
// Which       text, JSON, XML, SVG, scripts and the like, of bytes_min or more: in memory, files, and what is
//             streamed, of which each write() can be decoded when it has arrived. Never what has a
//             Content-Encoding, a digest of its content, or `no-transform` already; no 206, no event streams.
// Caches      every reply that might have been compressed says Vary: Accept-Encoding; of one that is, a strong
//             ETag becomes weak.
// Cost        on the core's thread. In memory: an encoder of each coding for each thread, used again. A file or a
//             stream: an encoder of its own, near 1 MiB, until it ends.
// Beware      of one page that shows a secret beside what another site can make a visitor send: the length of the
//             compressed page tells of the secret (BREACH). Leave such routes out of the group.
#pragma once

#include <millrace/namespace.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace millrace {

class Reply;
class Request;

/// Levels are of each library's own scale.
struct CompressOptions {
  std::uint64_t bytes_min = 1024;      ///< Of a body whose length is known: what is shorter stays as it is.
  std::uint64_t bytes_max = 16 << 20;  ///< The same for what is longer: it would hold up the core.
  /// Media types, "text/*" among them, in place of the rule above; empty: the rule.
  std::vector<std::string> types = {};
  int gzip = 5;    ///< 1 to 9.
  int brotli = 4;  ///< 0 to 11.
  int zstd = 3;    ///< 1 to 19.
};

/// Made by mr::compress().
class Compression {
 public:
  explicit Compression(CompressOptions options) noexcept : options_(std::move(options)) {}
  void after(Request& request, Reply& reply) const;

 private:
  CompressOptions options_;
};

/// For app.use(), a group or a route.
inline Compression compress(CompressOptions options = {}) { return Compression(std::move(options)); }

}  // namespace millrace
