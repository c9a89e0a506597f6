#include "perf/instructions/memory_backend.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "engine/base/assert.hpp"

namespace millrace::perf {

MemoryBackend::MemoryBackend(std::string batch) : batch_(std::move(batch)) {
  MR_ASSERT(batch_.size() <= buffer_bytes_max);
  std::memcpy(buffer_.data(), batch_.data(), batch_.size());
}

void MemoryBackend::end() noexcept {
  ended_ = true;
  MR_ASSERT(std::memcmp(buffer_.data(), batch_.data(), batch_.size()) == 0);
}

void MemoryBackend::complete(io::Completion done) noexcept {
  MR_ASSERT(ready_count_ < ready_.size());
  ready_[ready_count_++] = done;
}

void MemoryBackend::accept(io::Token token, io::Descriptor) noexcept {
  complete({.token = token, .result = descriptor_, .more = true});
}

void MemoryBackend::recv(io::Token token, io::Descriptor) noexcept {
  receive_ = token;
  receiving_ = true;
}

void MemoryBackend::send(io::Token token, io::Descriptor, std::span<const iovec> parts) noexcept {
  std::size_t size = 0;
  for (const iovec& part : parts) {
    if (keeps_sends_) kept_.append(static_cast<const char*>(part.iov_base), part.iov_len);
    size += part.iov_len;
  }
  ++sends_;
  complete({.token = token, .result = static_cast<std::int32_t>(size)});
}

// Completes only when it is cancelled: the peer never leaves by itself.
void MemoryBackend::hangup(io::Token, io::Descriptor) noexcept {}

void MemoryBackend::cancel(io::Token token) noexcept {
  if (token == receive_) {
    if (!receiving_) return;
    receiving_ = false;
  }
  complete({.token = token, .result = -ECANCELED});
}

std::size_t MemoryBackend::wait(std::span<io::Completion> out, TimeNs) noexcept {
  clock_ += turn_ns;
  if (receiving_ && ended_) {
    receiving_ = false;
    complete({.token = receive_, .result = 0});
  } else if (receiving_ && buffer_free_) {
    buffer_free_ = false;
    complete({.token = receive_,
              .result = static_cast<std::int32_t>(batch_.size()),
              .has_buffer = true,
              .more = true});
  }
  const std::size_t count = std::min(out.size(), ready_count_);
  std::copy_n(ready_.begin(), count, out.begin());
  std::copy(ready_.begin() + static_cast<std::ptrdiff_t>(count),
            ready_.begin() + static_cast<std::ptrdiff_t>(ready_count_), ready_.begin());
  ready_count_ -= count;
  return count;
}

void MemoryBackend::give_back(std::span<const std::uint16_t> buffer_ids) noexcept {
  if (!buffer_ids.empty()) buffer_free_ = true;
}

}  // namespace millrace::perf
