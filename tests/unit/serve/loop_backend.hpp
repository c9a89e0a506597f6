// loop_backend.hpp: one connection without a kernel: every wait() brings the same batch of requests, and sends
// complete at once. Allocates nothing once it is made.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/assert.hpp"
#include "engine/io/backend.hpp"
#include "engine/mem/block_pool.hpp"

namespace millrace::test {

class LoopBackend final : public io::IoBackend {
 public:
  static constexpr io::Descriptor listener = 2;

  /// `batch` fits into one buffer.
  explicit LoopBackend(std::string batch) : batch_(std::move(batch)) { MR_ASSERT(batch_.size() <= size_max); }

  /// From now on the connection ends.
  void end() noexcept { ended_ = true; }
  /// The latest bytes sent, at most what fits.
  std::string_view last_send() const noexcept { return {last_send_.data(), last_send_bytes_}; }

  void accept(io::Token token, io::Descriptor) noexcept override {
    complete({.token = token, .result = connection, .more = true});
  }
  void recv(io::Token token, io::Descriptor) noexcept override { receive_ = token; }
  void send(io::Token token, io::Descriptor, std::span<const iovec> parts) noexcept override {
    std::size_t size = 0;
    last_send_bytes_ = 0;
    for (const iovec& part : parts) {
      const std::size_t kept = std::min(part.iov_len, last_send_.size() - last_send_bytes_);
      std::memcpy(last_send_.data() + last_send_bytes_, part.iov_base, kept);
      last_send_bytes_ += kept;
      size += part.iov_len;
    }
    complete({.token = token, .result = static_cast<std::int32_t>(size)});
  }
  void send_file(io::Token, io::Descriptor, std::span<const iovec>, io::FileSlice&) noexcept override {
    MR_UNREACHABLE("no test of one connection has files");
  }
  void hangup(io::Token, io::Descriptor) noexcept override {}
  void cancel(io::Token token) noexcept override {
    if (token == receive_) receive_ = {};
    complete({.token = token, .result = -ECANCELED});
  }
  void shutdown_send(io::Descriptor) noexcept override {}
  void close(io::Descriptor, bool) noexcept override {}
  void wake() noexcept override {}
  TimeNs now() noexcept override { return clock_; }
  char* buffer(std::uint16_t) noexcept override { return buffer_.data(); }
  std::uint32_t buffer_bytes() const noexcept override { return size_max; }
  std::uint32_t buffers() const noexcept override { return 1; }
  void give_back(std::span<const std::uint16_t> ids) noexcept override {
    buffer_free_ = buffer_free_ || !ids.empty();
  }
  bool peer_address(io::Descriptor, sockaddr_storage&) noexcept override { return false; }
  std::size_t unacknowledged_bytes(io::Descriptor) noexcept override { return 0; }
  const io::BackendStats& stats() const noexcept override { return stats_; }

  std::size_t wait(std::span<io::Completion> out, TimeNs) noexcept override {
    clock_ += turn_ns;
    if (receive_ != io::Token() && ended_) {
      complete({.token = std::exchange(receive_, io::Token())});
    } else if (receive_ != io::Token() && buffer_free_) {
      std::memcpy(buffer_.data(), batch_.data(), batch_.size());  // As the kernel: the engine may change it.
      buffer_free_ = false;
      complete({.token = receive_,
                .result = static_cast<std::int32_t>(batch_.size()),
                .has_buffer = true,
                .more = true});
    }
    const std::size_t count = std::min(out.size(), ready_count_);
    std::copy_n(ready_.begin(), count, out.begin());
    std::move(ready_.begin() + static_cast<std::ptrdiff_t>(count),
              ready_.begin() + static_cast<std::ptrdiff_t>(ready_count_), ready_.begin());
    ready_count_ -= count;
    return count;
  }

 private:
  static constexpr std::uint32_t size_max = 8192;
  static constexpr TimeNs turn_ns = 4000;
  static constexpr io::Descriptor connection = 3;

  void complete(io::Completion done) noexcept {
    MR_ASSERT(ready_count_ < ready_.size());
    ready_[ready_count_++] = done;
  }

  const std::string batch_;
  std::array<char, size_max + mem::padding_bytes> buffer_{};
  std::array<char, size_max> last_send_{};
  std::size_t last_send_bytes_ = 0;
  std::array<io::Completion, 16> ready_{};
  std::size_t ready_count_ = 0;
  io::Token receive_{};
  bool buffer_free_ = true;
  bool ended_ = false;
  TimeNs clock_ = ns_per_s;
  io::BackendStats stats_;
};

}  // namespace millrace::test
