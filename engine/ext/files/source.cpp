#include "engine/ext/files/source.hpp"

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "engine/mem/allocate.hpp"

namespace millrace::files {
namespace {

class FileSource final : public proto::BodySource {
 public:
  Result<std::size_t> read(std::span<char> out) noexcept override;
  const net::FilePart* file() const noexcept override { return &part; }
  void release() noexcept override;

  net::FilePart part;
  FileSource* next_free = nullptr;
};

/// Grows to the most that were in use at once, and stays; freed with its thread.
struct FreeList {
  ~FreeList() {
    while (first != nullptr) {
      FileSource* source = std::exchange(first, first->next_free);
      source->~FileSource();
      mem::release(source);
    }
  }
  FileSource* first = nullptr;
  std::uint32_t live = 0;
};
thread_local FreeList free_list;

// Looked at after reading: what was read before a change that is seen now may be half of it.
Result<std::size_t> FileSource::read(std::span<char> out) noexcept {
  const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), part.size_bytes));
  const Result<std::size_t> count = part.file.read_at(part.offset, out.data(), wanted);
  if (!count) return count.error();
  if (count.value() == 0 || !part.file.unchanged()) return Error{Errc::system, 0, ENODATA};
  part.offset += count.value();
  part.size_bytes -= count.value();
  return count;
}

void FileSource::release() noexcept {
  part = {};
  next_free = std::exchange(free_list.first, this);
  --free_list.live;
}

}  // namespace

proto::BodySource* make_source(net::FilePart part) noexcept {
  FileSource* source = free_list.first;
  if (source != nullptr) {
    free_list.first = source->next_free;
  } else {
    void* memory = mem::allocate(sizeof(FileSource));
    if (memory == nullptr) return nullptr;
    source = new (memory) FileSource;
  }
  source->part = std::move(part);
  ++free_list.live;
  return source;
}

std::uint32_t sources_live() noexcept { return free_list.live; }

}  // namespace millrace::files
