#include "engine/net/file_part.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <new>

#include "engine/mem/allocate.hpp"

namespace millrace::net {

Result<std::uint32_t> read_facts(int descriptor, FileFacts& facts) noexcept {
  struct stat status;
  if (::fstat(descriptor, &status) != 0) return Error{Errc::system, 0, errno};
  facts = {.device = status.st_dev,
           .inode = status.st_ino,
           .size_bytes = static_cast<std::uint64_t>(status.st_size),
           .modified_seconds = status.st_mtim.tv_sec,
           .modified_ns = static_cast<std::uint32_t>(status.st_mtim.tv_nsec)};
  return std::uint32_t{status.st_mode};
}

FileRef::FileRef(int descriptor, const FileFacts& facts) noexcept {
  void* memory = mem::allocate(sizeof(OpenFile));
  if (memory == nullptr) {
    ::close(descriptor);
    return;
  }
  file_ = new (memory) OpenFile{descriptor, 1, facts};
}

void FileRef::destroy() noexcept {
  ::close(file_->descriptor);
  mem::release(file_);
}

bool FileRef::unchanged() const noexcept {
  FileFacts now;
  return read_facts(file_->descriptor, now).ok() && now == file_->facts;
}

Result<std::size_t> FileRef::read_at(std::uint64_t offset, char* out, std::size_t size) const noexcept {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count =
        ::pread(file_->descriptor, out + done, size - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error{Errc::system, 0, errno};
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

}  // namespace millrace::net
