// stored_file.hpp: a file that has no name until it is whole.
//
//   mr::StoredFile file("/srv/uploads");
//   file.write(bytes);
//   const std::string name = file.keep(part->filename());   // "report.pdf", or "report-2.pdf".
//
// One that is not kept is gone with its object, also when the process dies before (where the filesystem has
// O_TMPFILE; where it has not, the file is named ".upload-XXXXXX" meanwhile, and a crash leaves it).
//
// Writing goes to the page cache and is not waited for, but it is an ordinary system call on the core's
// thread: a disk that cannot keep up holds up the core's other requests while the kernel makes its writers
// wait. Nothing is synced: after a power cut a kept file may be empty or missing.
#pragma once

#include <millrace/form.hpp>
#include <millrace/http_error.hpp>
#include <millrace/namespace.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace millrace {

namespace detail {

/// The engine's part of a StoredFile. Every function gives 0, or a positive errno.
struct Store {
  int directory = -1;  ///< Descriptors; -1: none.
  int file = -1;
  std::string temporary;  ///< The name meanwhile; empty: it has none.
};
int store_open(Store& store, const std::string& directory) noexcept;
int store_write(const Store& store, std::string_view bytes) noexcept;
/// Links it under `name`, or the first of name-2, name-3, ... that is free; `name` becomes what it was.
int store_keep(Store& store, std::string& name);
void store_close(Store& store) noexcept;
/// 507 for a disk or a quota that is full, 503 where descriptors are, else 500.
HttpError store_error(int error);

}  // namespace detail

// The engine itself is built without exceptions.
#ifdef __cpp_exceptions
/// Moves; not for several threads at once. Whatever fails throws mr::HttpError: 507 for a full disk, 503 where
/// descriptors ran out, 500 for a directory that is missing or not writable.
class StoredFile {
 public:
  /// directory: must exist. Permissions 0600.
  explicit StoredFile(const std::string& directory) { check(detail::store_open(store_, directory)); }
  StoredFile(StoredFile&& other) noexcept
      : store_(std::exchange(other.store_, {})), size_bytes_(std::exchange(other.size_bytes_, 0)) {}
  StoredFile& operator=(StoredFile&&) = delete;
  ~StoredFile() { detail::store_close(store_); }

  void write(std::string_view bytes) {
    check(detail::store_write(store_, bytes));
    size_bytes_ += bytes.size();
  }
  std::uint64_t size_bytes() const noexcept { return size_bytes_; }
  /// For pread(2), fsync(2) and the like; owned by the object.
  int descriptor() const noexcept { return store_.file; }

  /// Gives it a name in its directory: safe_filename(wanted), with a number where that is taken; nothing is
  /// ever replaced. Returns the name. Once.
  std::string keep(std::string_view wanted) {
    std::string name = safe_filename(wanted);
    check(detail::store_keep(store_, name));
    return name;
  }

 private:
  static void check(int error) {
    if (error != 0) throw detail::store_error(error);
  }

  detail::Store store_;
  std::uint64_t size_bytes_ = 0;
};

#endif

}  // namespace millrace
