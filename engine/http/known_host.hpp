// known_host.hpp: the host that was judged last. A client names one host in all its requests, and most
// servers have few: nearly every time there is nothing to judge.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "engine/http/framing.hpp"

namespace millrace::http {

/// Owner: one thread; 72 bytes. Never allocates.
class KnownHost {
 public:
  /// As valid_host(), by a comparison where it is the text that was valid last.
  bool valid(std::string_view host) noexcept {
    if (host.size() == size_ && is_known(host.data())) [[likely]]
      return true;
    if (!valid_host(host)) return false;
    if (host.size() <= bytes_.size()) size_ = host.copy(bytes_.data(), bytes_.size());
    return true;
  }

 private:
  static std::uint64_t word(const char* at) noexcept {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    return word;
  }

  /// Of size_ bytes. Two words that overlap hold most hosts, and need no call.
  bool is_known(const char* host) const noexcept {
    const char* const known = bytes_.data();
    if (size_ - 8 <= 8) return word(host) == word(known) && word(host + size_ - 8) == word(known + size_ - 8);
    return size_ != 0 && std::memcmp(host, known, size_) == 0;
  }

  std::size_t size_ = 0;  ///< 0: none is known yet. No empty host is valid.
  std::array<char, 64> bytes_;
};

}  // namespace millrace::http
