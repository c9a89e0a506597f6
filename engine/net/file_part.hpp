// file_part.hpp: bytes of an open file that are on their way out, beside those in memory.
//
// Owner       whoever holds a reference: a cache, a body source, a chain. All of one core: no atomics.
// Invariants  the descriptor is open and the facts are those of the moment it was opened, until the last
//             reference goes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "engine/base/result.hpp"

namespace millrace::net {

/// What tells two states of a file apart. A file that is rewritten in place changes its time or its size.
struct FileFacts {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size_bytes = 0;
  std::int64_t modified_seconds = 0;
  std::uint32_t modified_ns = 0;
  bool operator==(const FileFacts&) const = default;
};

/// The facts of an open descriptor and its mode (st_mode), or a system Error. One system call.
Result<std::uint32_t> read_facts(int descriptor, FileFacts& facts) noexcept;

struct OpenFile {
  int descriptor;
  std::uint32_t references;
  FileFacts facts;
};

/// A counted reference to an open file; null when default-made.
class FileRef {
 public:
  FileRef() noexcept = default;
  /// Takes the descriptor; closes it and is null where there is no memory.
  FileRef(int descriptor, const FileFacts& facts) noexcept;
  FileRef(const FileRef& other) noexcept : file_(other.file_) {
    if (file_ != nullptr) ++file_->references;
  }
  FileRef(FileRef&& other) noexcept : file_(std::exchange(other.file_, nullptr)) {}
  FileRef& operator=(FileRef other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }
  ~FileRef() {
    if (file_ != nullptr && --file_->references == 0) destroy();
  }

  explicit operator bool() const noexcept { return file_ != nullptr; }
  int descriptor() const noexcept { return file_->descriptor; }
  const FileFacts& facts() const noexcept { return file_->facts; }
  /// Whether the file is still as it was when it was opened. One system call.
  bool unchanged() const noexcept;
  /// Reads at `offset` until `size` bytes are there or the file ends; the count, or a system Error.
  Result<std::size_t> read_at(std::uint64_t offset, char* out, std::size_t size) const noexcept;

 private:
  void destroy() noexcept;
  OpenFile* file_ = nullptr;
};

/// Bytes `offset` to `offset + size_bytes` of a file.
struct FilePart {
  FileRef file;
  std::uint64_t offset = 0;
  std::uint64_t size_bytes = 0;
};

}  // namespace millrace::net
