// send_keys.hpp: what OpenSSL seals with, kept for the kernel: it goes on where OpenSSL stopped.
//
// Invariants  the number of the next record counts in every nonce. One that was used twice would give the keys'
//             secret away, so whoever makes a record with them counts it, and who has given them away forgets them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace millrace::tls {

class SendKeys {
 public:
  ~SendKeys() { forget(); }
  /// `info` is what OpenSSL would give to a socket: a tls12_crypto_info_... of linux/tls.h. Of a cipher that is not
  /// known here nothing is kept.
  void keep(const void* info) noexcept;
  void forget() noexcept;
  bool known() const noexcept { return size_ != 0; }
  /// A record was made with them.
  void count_record() noexcept { ++records_; }
  /// For the record that comes next. Call once, then forget().
  std::span<const char> next() noexcept;

 private:
  std::array<char, 64> info_{};
  std::size_t size_ = 0;
  std::uint64_t records_ = 0;
};

}  // namespace millrace::tls
