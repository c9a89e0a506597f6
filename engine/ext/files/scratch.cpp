#include "engine/ext/files/scratch.hpp"

#include "engine/mem/allocate.hpp"

namespace millrace::files {
namespace {

struct Buffer {
  ~Buffer() { mem::release(data); }
  char* data = nullptr;
};
thread_local Buffer buffer;

}  // namespace

std::span<char> scratch() noexcept {
  if (buffer.data == nullptr) buffer.data = static_cast<char*>(mem::allocate(scratch_bytes));
  return buffer.data == nullptr ? std::span<char>() : std::span<char>(buffer.data, scratch_bytes);
}

}  // namespace millrace::files
