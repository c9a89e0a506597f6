// root.hpp: a directory whose files are served, and the way to a file in it.
//
// Owner       one per route of files; shared by all cores, because it never changes after open().
// Guarantees  what is opened lies beneath the directory: the kernel refuses every `..` and every
//             symbolic link that leaves it (openat2(2), RESOLVE_BENEATH).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/result.hpp"

namespace millrace::files {

/// An open regular file; closed at the end.
class File {
 public:
  File() noexcept = default;
  explicit File(int descriptor) noexcept : descriptor_(descriptor) {}
  File(File&& other) noexcept { *this = std::move(other); }
  File& operator=(File&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(size_bytes, other.size_bytes);
    std::swap(modified_seconds, other.modified_seconds);
    std::swap(modified_ns, other.modified_ns);
    std::swap(inode, other.inode);
    return *this;
  }
  ~File();

  /// Reads at `offset` until `size` bytes are there or the file ends; the count, or a system Error.
  Result<std::size_t> read_at(std::uint64_t offset, char* out, std::size_t size) const noexcept;

  std::uint64_t size_bytes = 0;
  std::int64_t modified_seconds = 0;
  std::uint32_t modified_ns = 0;
  std::uint64_t inode = 0;

 private:
  int descriptor_ = -1;
};

class Root {
 public:
  enum class Outcome : std::uint8_t {
    file,
    directory,  ///< Its name lacks the slash at its end.
    missing,    ///< Nothing there, hidden, outside of the root, or no regular file (404).
    forbidden,  ///< The server may not read it (403).
    busy,       ///< No descriptor or no memory is left (503).
    broken,     ///< The kernel reported something else (500).
  };

  explicit Root(int directory) noexcept : directory_(directory) {}
  Root(const Root&) = delete;
  Root& operator=(const Root&) = delete;
  ~Root();

  /// A directory's descriptor for the constructor, or a system Error.
  static Result<int> open_directory(const std::string& path) noexcept;

  /// name  decoded, without a slash in front. Empty or ending in a slash: the index.html there.
  /// Never allocates; two system calls.
  Outcome open(std::string_view name, File& out) const noexcept;

 private:
  int directory_;
};

/// False for names that are never served: `.` and `..`, hidden ones (a dot in front, but for
/// .well-known, RFC 8615), empty parts ("a//b"), a NUL.
bool servable(std::string_view name) noexcept;

}  // namespace millrace::files
