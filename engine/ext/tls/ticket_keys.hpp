// ticket_keys.hpp: the keys that session tickets are sealed with. Source: RFC 5077 section 4, RFC 8446
// section 4.6.1.
//
//   newest key: seals and opens -> after lifetime -> older key: opens, and the ticket is renewed -> gone
//
// Owner       one per server; every core and every certificate shares it, so a client resumes wherever the
//             kernel takes it, also after the certificates were read again. Lost with the process.
// Threads     any; a lock of a few copies, once or twice a handshake and never a request.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <mutex>

#include "engine/base/clock.hpp"

namespace millrace::tls {

class TicketKeys {
 public:
  static constexpr std::size_t name_bytes = 16;
  using Clock = TimeNs (*)() noexcept;

  struct Key {
    std::array<unsigned char, name_bytes> name{};
    std::array<unsigned char, 32> cipher{};
    std::array<unsigned char, 32> mac{};
  };

  /// lifetime  a key seals for that long, and opens for as long again. clock: of any origin.
  explicit TicketKeys(TimeNs lifetime, Clock clock = monotonic) noexcept;
  ~TicketKeys();
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;

  /// The newest key, made now where that is due. False where the machine gives no randomness.
  bool newest(Key& out) noexcept;
  /// The key of that name. `renew`: it seals no more.
  bool find(const unsigned char* name, Key& out, bool& renew) noexcept;
  void set_lifetime(TimeNs lifetime) noexcept;
  /// AES-256 in CBC mode, looked up once: by name it would be searched for with every ticket.
  const EVP_CIPHER* cipher() const noexcept { return cipher_; }

  static TimeNs monotonic() noexcept;

 private:
  bool rotate(TimeNs now) noexcept;

  std::mutex mutex_;
  EVP_CIPHER* cipher_;
  TimeNs lifetime_;
  Clock clock_;
  TimeNs made_ = 0;  ///< When newest_ was.
  bool has_newest_ = false;
  bool has_older_ = false;
  Key newest_;
  Key older_;
};

}  // namespace millrace::tls
