#include "engine/ext/tls/send_keys.hpp"

#include <linux/tls.h>
#include <openssl/crypto.h>

#include <cstring>
#include <type_traits>

#include "engine/base/assert.hpp"

namespace millrace::tls {
namespace {

/// A number of the wire, the first byte the highest: raised by `by`, past its end from 0 on.
template <std::size_t Size>
void raise(unsigned char (&number)[Size], std::uint64_t by) noexcept {
  for (std::size_t i = Size; i-- != 0 && by != 0;) {
    by += number[i];
    number[i] = static_cast<unsigned char>(by);
    by >>= 8;
  }
}

/// Calls visit(structure) with the kernel's one for the cipher of `info`, or with nothing where it is unknown.
template <class Visit>
void visit_cipher(const char* info, Visit visit) noexcept {
  tls_crypto_info head;
  std::memcpy(&head, info, sizeof head);
  switch (head.cipher_type) {
    case TLS_CIPHER_AES_GCM_128: return visit(tls12_crypto_info_aes_gcm_128{});
    case TLS_CIPHER_AES_GCM_256: return visit(tls12_crypto_info_aes_gcm_256{});
    case TLS_CIPHER_CHACHA20_POLY1305: return visit(tls12_crypto_info_chacha20_poly1305{});
    default: return;
  }
}

}  // namespace

void SendKeys::keep(const void* info) noexcept {
  forget();
  visit_cipher(static_cast<const char*>(info), [&](auto known) noexcept {
    static_assert(sizeof known <= sizeof info_);
    size_ = sizeof known;
    std::memcpy(info_.data(), info, size_);
  });
}

void SendKeys::forget() noexcept {
  OPENSSL_cleanse(info_.data(), info_.size());
  size_ = 0;
  records_ = 0;
}

// In TLS 1.2 the nonce of AES-GCM has a part of its own, which OpenSSL and the kernel raise with each record; else it
// is made from the number (RFC 5288 section 3, RFC 7905 section 2, RFC 8446 section 5.3).
std::span<const char> SendKeys::next() noexcept {
  MR_ASSERT(known());
  visit_cipher(info_.data(), [&]<class Info>(Info keys) noexcept {
    std::memcpy(&keys, info_.data(), sizeof keys);
    raise(keys.rec_seq, records_);
    const bool chacha = std::is_same_v<Info, tls12_crypto_info_chacha20_poly1305>;
    if (keys.info.version == TLS_1_2_VERSION && !chacha) raise(keys.iv, records_);
    std::memcpy(info_.data(), &keys, sizeof keys);
    OPENSSL_cleanse(&keys, sizeof keys);
  });
  records_ = 0;
  return {info_.data(), size_};
}

}  // namespace millrace::tls
