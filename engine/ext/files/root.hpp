// root.hpp: a directory whose files are served, and the way to a file in it.
//
// Owner       one per route of files; shared by all cores, because it never changes after open().
// Guarantees  what is opened lies beneath the directory: the kernel refuses every `..` and every
//             symbolic link that leaves it (openat2(2), RESOLVE_BENEATH).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.hpp"
#include "engine/net/file_part.hpp"

namespace millrace::files {

class Root {
 public:
  enum class Outcome : std::uint8_t {
    file,
    directory,
    missing,    ///< Nothing there, outside of the root, or neither file nor directory (404).
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

  /// path  servable, without slashes at its ends. `out` is set where the outcome is `file`. Two system calls.
  Outcome open(std::string_view path, net::FileRef& out) const noexcept;
  /// Opens a directory beneath; empty: the root itself. `descriptor` is set, and the caller's, where the
  /// outcome is `directory`.
  Outcome open_beneath(std::string_view path, int& descriptor) const noexcept;

 private:
  int directory_;
};

/// False for names that are never served: `.` and `..`, empty parts ("a//b"), a NUL; and hidden ones (a
/// dot in front, but for .well-known, RFC 8615) unless `hidden`. A slash at the end is allowed.
bool servable(std::string_view name, bool hidden) noexcept;

}  // namespace millrace::files
