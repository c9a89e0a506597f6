#include "engine/serve/frame_pool.hpp"

#include "engine/base/assert.hpp"
#include "engine/mem/allocate.hpp"

namespace millrace::serve {

FramePool::~FramePool() {
  for (FreeFrame* frame : free_) {
    while (frame != nullptr) {
      FreeFrame* next = frame->next;
      mem::release(frame);
      frame = next;
    }
  }
}

void* FramePool::allocate(std::size_t size_bytes) noexcept {
  void* memory = mem::allocate(rounded(size_bytes));
  MR_ASSERT(memory != nullptr);  // A coroutine cannot be half called: there is no way to refuse here.
  return memory;
}

void FramePool::release(void* memory) noexcept { mem::release(memory); }

}  // namespace millrace::serve
