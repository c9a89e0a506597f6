// files.hpp: how a directory of files is served.
//
//   app.files("/static", "./public", {.listing = true});
#pragma once

#include <millrace/namespace.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace millrace {

/// The Cache-Control field of some files.
struct CacheControl {
  std::string match;  ///< Of the path beneath the directory, as fnmatch(3): "*.js"; a star passes slashes.
  std::string value;  ///< "public, max-age=31536000, immutable"
};

/// The media type of an ending, in place of the built-in one or beside those.
struct MediaType {
  std::string extension;  ///< Without its dot: "wasm". Compared without case.
  std::string type;       ///< "application/wasm"
};

/// What may be chosen for a route of files. What is out of range, or no field value, is told when the
/// server starts.
struct FilesOptions {
  std::string index = "index.html";  ///< Of a directory; empty: none.
  /// A file beneath the directory, served with 200 where a path leads nowhere and its last part has no dot:
  /// the page of an application that routes in the browser. Empty: 404.
  std::string fallback = {};
  bool listing = false;       ///< List a directory that has no index; else 404.
  bool hidden = false;        ///< Serve names with a dot in front; else 404, but for ".well-known".
  bool precompressed = true;  ///< Send NAME.br, NAME.zst or NAME.gz for NAME to who takes it.
  std::vector<CacheControl> cache_control = {};  ///< The first that matches counts; none: no such field.
  std::vector<MediaType> types = {};
  std::uint64_t cache_bytes = 32ull << 20;  ///< Small files kept in memory, a core; 0: every request opens.
  std::uint32_t cache_files = 256;          ///< Large files kept open, a core; past it the oldest goes.
};

}  // namespace millrace
