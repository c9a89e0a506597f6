// frame_pool.hpp: memory for coroutine frames, kept on free lists by size.
//
// Owner       one per Scheduler; no locks, no atomics.
// Classes     64-byte steps up to 4 KiB; larger frames go to the allocator.
// Invariants  every frame is a piece of mem::allocate() of its class's size, so one that was taken
//             outside of a core may be given back within one, and the other way round.
// When full   at cached_bytes_max a frame that comes back goes on to the allocator.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace millrace::serve {

class FramePool {
 public:
  static constexpr std::size_t step_bytes = 64;
  static constexpr std::size_t pooled_bytes_max = 4096;

  explicit FramePool(std::size_t cached_bytes_max = 64 << 20) noexcept
      : cached_bytes_max_(cached_bytes_max) {}
  FramePool(const FramePool&) = delete;
  FramePool& operator=(const FramePool&) = delete;
  ~FramePool();

  /// Aligned to 64. Never null: aborts when the machine's memory is out. O(1).
  void* take(std::size_t size_bytes) noexcept {
    ++taken_;
    const std::size_t bytes = rounded(size_bytes);
    if (bytes <= pooled_bytes_max) [[likely]] {
      FreeFrame*& head = free_[bytes / step_bytes];
      if (head != nullptr) [[likely]] {
        FreeFrame* frame = head;
        head = frame->next;
        cached_bytes_ -= bytes;
        return frame;
      }
    }
    return allocate(bytes);
  }
  /// size_bytes as given to take(). O(1).
  void give(void* memory, std::size_t size_bytes) noexcept {
    ++given_;
    const std::size_t bytes = rounded(size_bytes);
    if (bytes > pooled_bytes_max || cached_bytes_ + bytes > cached_bytes_max_) [[unlikely]]
      return release(memory);
    FreeFrame* frame = static_cast<FreeFrame*>(memory);
    FreeFrame*& head = free_[bytes / step_bytes];
    frame->next = head;
    head = frame;
    cached_bytes_ += bytes;
  }
  /// What take() does where its lists are empty: a piece of mem::allocate(), never null.
  static void* allocate(std::size_t size_bytes) noexcept;

  /// Frames taken since the start, and given back.
  std::uint64_t taken() const noexcept { return taken_; }
  std::uint64_t given() const noexcept { return given_; }
  std::size_t cached_bytes() const noexcept { return cached_bytes_; }

  /// The size that a frame of size_bytes, > 0, really has.
  static constexpr std::size_t rounded(std::size_t size_bytes) noexcept {
    return (size_bytes + step_bytes - 1) / step_bytes * step_bytes;
  }

 private:
  struct FreeFrame {
    FreeFrame* next;
  };
  static void release(void* memory) noexcept;

  std::array<FreeFrame*, pooled_bytes_max / step_bytes + 1> free_{};  // By size in steps.
  std::size_t cached_bytes_ = 0;
  std::size_t cached_bytes_max_;
  std::uint64_t taken_ = 0;
  std::uint64_t given_ = 0;
};

}  // namespace millrace::serve
