// store.cpp: files without a name, by O_TMPFILE and linkat. Source: open(2), linkat(2).
#include <millrace/stored_file.hpp>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/base/assert.hpp"

namespace millrace::detail {
namespace {

constexpr unsigned names_tried_max = 1000;  ///< Of one name; then EEXIST.
constexpr std::size_t filename_bytes_max = 255;
constexpr std::size_t extension_bytes_max = 16;  ///< More behind a dot is a part of the name.

/// What filesystems without O_TMPFILE answer; EISDIR is an old kernel's.
bool has_no_unnamed_files(int error) noexcept {
  return error == EOPNOTSUPP || error == EISDIR || error == ENOENT || error == EINVAL;
}

/// A named one instead.
int open_named(Store& store) noexcept {
  static constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  for (unsigned round = 0; round < names_tried_max; ++round) {
    unsigned char random[12];
    if (::getentropy(random, sizeof random) != 0) return errno;
    std::string name = ".upload-";
    for (const unsigned char byte : random) name += letters[byte % letters.size()];
    store.file = ::openat(store.directory, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (store.file >= 0) {
      store.temporary = std::move(name);
      return 0;
    }
    if (errno != EEXIST) return errno;
  }
  return EEXIST;
}

/// 0, or an errno: EEXIST where the name is taken.
int link_as(const Store& store, const std::string& name) noexcept {
  if (!store.temporary.empty()) {
    return ::linkat(store.directory, store.temporary.c_str(), store.directory, name.c_str(), 0) == 0 ? 0
                                                                                                     : errno;
  }
  const std::string self = "/proc/self/fd/" + std::to_string(store.file);
  if (::linkat(AT_FDCWD, self.c_str(), store.directory, name.c_str(), AT_SYMLINK_FOLLOW) == 0) return 0;
  if (errno != ENOENT) return errno;  // Else there is no /proc.
  return ::linkat(store.file, "", store.directory, name.c_str(), AT_EMPTY_PATH) == 0 ? 0 : errno;
}

/// "a.tar" and 2: "a-2.tar".
std::string numbered(const std::string& name, unsigned number) {
  std::string suffix(1, '-');
  suffix += std::to_string(number);
  std::size_t dot = std::min(name.rfind('.'), name.size());
  if (name.size() - dot > extension_bytes_max) dot = name.size();
  std::string stem = name.substr(0, dot);
  const std::string extension = name.substr(dot);
  while (!stem.empty() && stem.size() + suffix.size() + extension.size() > filename_bytes_max) {
    // A whole character of UTF-8 at a time.
    while (stem.size() > 1 && (static_cast<unsigned char>(stem.back()) & 0xc0) == 0x80) stem.pop_back();
    stem.pop_back();
  }
  return stem.append(suffix).append(extension);
}

}  // namespace

int store_open(Store& store, const std::string& directory) noexcept {
  store.directory = ::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (store.directory < 0) return errno;
  store.file = ::openat(store.directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  int error = store.file < 0 ? errno : 0;
  if (has_no_unnamed_files(error)) error = open_named(store);
  if (error != 0) store_close(store);
  return error;
}

int store_write(const Store& store, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t written = ::write(store.file, bytes.data(), bytes.size());
    if (written > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (written < 0 && errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

int store_keep(Store& store, std::string& name) {
  MR_ASSERT(store.file >= 0);
  const std::string wanted = name;
  for (unsigned number = 2;; ++number) {
    const int error = link_as(store, name);
    if (error != EEXIST || number > names_tried_max) return error;
    name = numbered(wanted, number);
  }
}

void store_close(Store& store) noexcept {
  // A kept file has a second name by now.
  if (!store.temporary.empty()) ::unlinkat(store.directory, store.temporary.c_str(), 0);
  if (store.file >= 0) ::close(store.file);
  if (store.directory >= 0) ::close(store.directory);
  store = {};
}

HttpError store_error(int error) {
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  const bool busy = error == EMFILE || error == ENFILE || error == ENOMEM;
  return HttpError(full   ? 507
                   : busy ? 503
                          : 500,
                   std::string("the upload cannot be stored: ") + ::strerror(error) + "\n");
}

}  // namespace millrace::detail
