#include "engine/ext/files/root.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

namespace millrace::files {
namespace {

constexpr std::string_view index_name = "index.html";
/// A rename elsewhere makes the kernel unsure of a `..` inside a symbolic link: it asks to try again.
constexpr int attempts_max = 4;

int open_beneath(int directory, const char* path) noexcept {
  open_how how = {};
  // A FIFO must not block the core, and a terminal must not become ours.
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  long descriptor = -1;
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    descriptor = ::syscall(SYS_openat2, directory, path, &how, sizeof how);
    if (descriptor >= 0 || (errno != EAGAIN && errno != EINTR)) break;
  }
  return static_cast<int>(descriptor);
}

Root::Outcome outcome_of(int error) noexcept {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case EXDEV:  // Left the root.
    case ENXIO:  // A socket.
      return Root::Outcome::missing;
    case EACCES:
    case EPERM: return Root::Outcome::forbidden;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN: return Root::Outcome::busy;
    default: return Root::Outcome::broken;
  }
}

bool servable_part(std::string_view part) noexcept {
  return !part.empty() && (part.front() != '.' || part == ".well-known");
}

}  // namespace

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<std::size_t> File::read_at(std::uint64_t offset, char* out, std::size_t size) const noexcept {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count = ::pread(descriptor_, out + done, size - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error{Errc::system, 0, errno};
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

Root::~Root() { ::close(directory_); }

Result<int> Root::open_directory(const std::string& path) noexcept {
  const int directory = ::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return Error{Errc::system, 0, errno};
  return directory;
}

Root::Outcome Root::open(std::string_view name, File& out) const noexcept {
  if (!servable(name)) return Outcome::missing;
  const bool index = name.empty() || name.ends_with('/');
  std::array<char, PATH_MAX> path;
  if (name.size() + index_name.size() >= path.size()) return Outcome::missing;
  char* end = std::copy(name.begin(), name.end(), path.begin());
  if (index) end = std::copy(index_name.begin(), index_name.end(), end);
  *end = '\0';

  const int descriptor = open_beneath(directory_, path.data());
  if (descriptor < 0) return outcome_of(errno);
  File file(descriptor);
  struct stat status;
  if (::fstat(descriptor, &status) != 0) return outcome_of(errno);
  if (S_ISDIR(status.st_mode)) return index ? Outcome::missing : Outcome::directory;
  if (!S_ISREG(status.st_mode)) return Outcome::missing;
  file.size_bytes = static_cast<std::uint64_t>(status.st_size);
  file.modified_seconds = status.st_mtim.tv_sec;
  file.modified_ns = static_cast<std::uint32_t>(status.st_mtim.tv_nsec);
  file.inode = status.st_ino;
  out = std::move(file);
  return Outcome::file;
}

bool servable(std::string_view name) noexcept {
  if (name.find('\0') != name.npos) return false;
  while (!name.empty()) {
    const std::size_t slash = std::min(name.find('/'), name.size());
    if (!servable_part(name.substr(0, slash))) return false;
    name.remove_prefix(std::min(slash + 1, name.size()));
  }
  return true;
}

}  // namespace millrace::files
