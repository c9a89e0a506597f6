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

/// A rename elsewhere makes the kernel unsure of a `..` inside a symbolic link: it asks to try again.
constexpr int attempts_max = 4;

int open_path(int directory, std::string_view path, std::uint64_t flags) noexcept {
  std::array<char, PATH_MAX> text;
  if (path.size() >= text.size()) {
    errno = ENAMETOOLONG;
    return -1;
  }
  *std::copy(path.begin(), path.end(), text.begin()) = '\0';
  open_how how = {};
  // A FIFO must not block the core, and a terminal must not become ours.
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  long descriptor = -1;
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    descriptor = ::syscall(SYS_openat2, directory, text.data(), &how, sizeof how);
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

bool servable_part(std::string_view part, bool hidden) noexcept {
  if (part.empty() || part == "." || part == "..") return false;
  return part.front() != '.' || hidden || part == ".well-known";
}

}  // namespace

Root::~Root() { ::close(directory_); }

Result<int> Root::open_directory(const std::string& path) noexcept {
  const int directory = ::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return Error{Errc::system, 0, errno};
  return directory;
}

Root::Outcome Root::open(std::string_view path, net::FileRef& out) const noexcept {
  const int descriptor = open_path(directory_, path, 0);
  if (descriptor < 0) return outcome_of(errno);
  net::FileFacts facts;
  const Result<std::uint32_t> mode = net::read_facts(descriptor, facts);
  if (!mode || !S_ISREG(mode.value())) {
    ::close(descriptor);
    if (!mode) return outcome_of(mode.error().os_errno);
    return S_ISDIR(mode.value()) ? Outcome::directory : Outcome::missing;
  }
  out = net::FileRef(descriptor, facts);
  return out ? Outcome::file : Outcome::busy;
}

Root::Outcome Root::open_beneath(std::string_view path, int& descriptor) const noexcept {
  descriptor = open_path(directory_, path.empty() ? "." : path, O_DIRECTORY);
  return descriptor < 0 ? outcome_of(errno) : Outcome::directory;
}

bool servable(std::string_view name, bool hidden) noexcept {
  if (name.find('\0') != name.npos) return false;
  while (!name.empty()) {
    const std::size_t slash = std::min(name.find('/'), name.size());
    if (!servable_part(name.substr(0, slash), hidden)) return false;
    name.remove_prefix(std::min(slash + 1, name.size()));
  }
  return true;
}

}  // namespace millrace::files
