// memory_backend.hpp: one connection without a kernel: every wait() brings the same batch of requests,
// and sends complete at once. It copies no bytes, which is the kernel's part: what is counted is the engine's.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/assert.hpp"
#include "engine/io/backend.hpp"
#include "engine/mem/block_pool.hpp"

namespace millrace::perf {

class MemoryBackend final : public io::IoBackend {
 public:
  /// `batch` fits into one buffer; none of its requests may make the engine change its bytes, as decoding does.
  explicit MemoryBackend(std::string batch);

  /// From now on the bytes that are sent are kept.
  void keep_sends() noexcept { keeps_sends_ = true; }
  /// From now on wait() brings the end of the connection in place of a batch. Asserts that the batch is unchanged.
  void end() noexcept;

  std::uint64_t sends() const noexcept { return sends_; }
  std::string_view kept() const noexcept { return kept_; }

  void accept(io::Token token, io::Descriptor listener) noexcept override;
  void recv(io::Token token, io::Descriptor descriptor) noexcept override;
  void send(io::Token token, io::Descriptor descriptor, std::span<const iovec> parts) noexcept override;
  void send_file(io::Token, io::Descriptor, std::span<const iovec>, io::FileSlice&) noexcept override {
    MR_UNREACHABLE("no load that is counted has files");
  }
  void hangup(io::Token token, io::Descriptor descriptor) noexcept override;
  void cancel(io::Token token) noexcept override;
  void shutdown_send(io::Descriptor) noexcept override {}
  void close(io::Descriptor, bool) noexcept override {}
  std::size_t wait(std::span<io::Completion> out, TimeNs deadline) noexcept override;
  void wake() noexcept override {}
  TimeNs now() noexcept override { return clock_; }
  char* buffer(std::uint16_t) noexcept override { return buffer_.data(); }
  std::uint32_t buffer_bytes() const noexcept override { return buffer_bytes_max; }
  std::uint32_t buffers() const noexcept override { return 1; }
  void give_back(std::span<const std::uint16_t> buffer_ids) noexcept override;
  bool peer_address(io::Descriptor, sockaddr_storage&) noexcept override { return false; }
  std::size_t unacknowledged_bytes(io::Descriptor) noexcept override { return 0; }
  const io::BackendStats& stats() const noexcept override { return stats_; }

 private:
  static constexpr std::uint32_t buffer_bytes_max = 8192;
  static constexpr TimeNs turn_ns = 4000;  ///< About what a turn of 24 requests takes.
  static constexpr io::Descriptor descriptor_ = 3;

  void complete(io::Completion done) noexcept;

  const std::string batch_;
  std::array<char, buffer_bytes_max + mem::padding_bytes> buffer_{};
  std::string kept_;
  bool keeps_sends_ = false;
  std::array<io::Completion, 8> ready_{};
  std::size_t ready_count_ = 0;
  io::Token receive_{};
  bool receiving_ = false;
  bool buffer_free_ = true;
  bool ended_ = false;
  TimeNs clock_ = ns_per_s;
  std::uint64_t sends_ = 0;
  io::BackendStats stats_;
};

}  // namespace millrace::perf
