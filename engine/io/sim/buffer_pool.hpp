// buffer_pool.hpp: the simulated ring of receive buffers; knows at any time whose each buffer is.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string_view>
#include <vector>

namespace millrace::io::sim {

class BufferPool {
 public:
  BufferPool(std::uint32_t buffers, std::uint32_t buffer_bytes);

  std::uint32_t count() const noexcept { return static_cast<std::uint32_t>(holders_.size()); }
  std::uint32_t buffer_bytes() const noexcept { return buffer_bytes_; }
  std::uint32_t free_count() const noexcept { return static_cast<std::uint32_t>(free_.size()); }
  char* at(std::uint16_t id) noexcept;

  /// The kernel fills the next buffer; there must be one.
  std::uint16_t fill(std::string_view bytes) noexcept;
  /// Its completion reached the caller, who now holds it.
  void hand_over(std::uint16_t id) noexcept;
  /// The caller returns them, each exactly once. What was in them is overwritten.
  void give_back(std::span<const std::uint16_t> ids) noexcept;

 private:
  enum class Holder : std::uint8_t { kernel, completion, caller };
  std::vector<char> bytes_;
  std::vector<Holder> holders_;
  std::vector<std::uint32_t> filled_bytes_;
  std::deque<std::uint16_t> free_;
  std::uint32_t buffer_bytes_;
};

}  // namespace millrace::io::sim
