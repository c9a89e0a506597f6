// byte_queue.hpp: bytes in, bytes out, in order.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "engine/base/assert.hpp"

namespace millrace::io::sim {

class ByteQueue {
 public:
  std::size_t size() const noexcept { return bytes_.size() - begin_; }
  bool empty() const noexcept { return size() == 0; }
  std::string_view front(std::size_t size_bytes) const noexcept {
    return std::string_view(bytes_).substr(begin_, size_bytes);
  }
  void append(std::string_view bytes) {
    // Moved to the front only when most of it is spent, so that each byte moves about once.
    if (begin_ > bytes_.size() / 2) {
      bytes_.erase(0, begin_);
      begin_ = 0;
    }
    bytes_.append(bytes);
  }
  void consume(std::size_t size_bytes) noexcept {
    MR_ASSERT(size_bytes <= size());
    begin_ += size_bytes;
    if (begin_ == bytes_.size()) clear();
  }
  void clear() noexcept {
    bytes_.clear();
    begin_ = 0;
  }

 private:
  std::string bytes_;
  std::size_t begin_ = 0;
};

}  // namespace millrace::io::sim
