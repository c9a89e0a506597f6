// hkdf.hpp: how TLS 1.3 makes secrets and keys of secrets (RFC 8446 section 7.1), with OpenSSL's hash functions.
//
// Owner       one thread at a time; nothing is allocated once a Hash is made.
// Errors      false: the lengths are not of TLS, or OpenSSL failed; what was to be written is undefined.
#pragma once

#include <openssl/types.h>

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace millrace::tls {

using Bytes = std::span<const unsigned char>;

/// One hash function, with room for what is hashed at the moment.
class Hash {
 public:
  static constexpr std::size_t size_max = 48;    ///< Of SHA-384, in bytes.
  static constexpr std::size_t block_max = 128;  ///< Bytes.

  /// name      as OpenSSL has it; sought in the process's own library, at most SHA-384.
  /// suffix    that all its names end with: "256" for SHA256, SHA2-256 and SHA-256.
  Hash(const char* name, std::string_view suffix) noexcept;
  Hash(const Hash&) = delete;
  Hash& operator=(const Hash&) = delete;
  ~Hash();

  /// False: there is no such function, or no memory.
  bool good() const noexcept { return good_; }
  bool is(std::string_view name) const noexcept { return name.starts_with("SHA") && name.ends_with(suffix_); }
  std::size_t size() const noexcept { return size_; }
  /// The hash of no bytes.
  Bytes of_nothing() const noexcept { return {of_nothing_.data(), size_}; }

  /// HMAC (RFC 2104) of a message in two parts; size() bytes. The key is at most a block.
  bool mac(Bytes key, Bytes front, Bytes back, unsigned char* out) noexcept;

 private:
  bool begin(Bytes bytes) noexcept;
  bool add(Bytes bytes) noexcept;
  bool end(unsigned char* out) noexcept;

  EVP_MD* digest_;
  EVP_MD_CTX* context_;
  std::string_view suffix_;
  std::size_t size_ = 0;
  std::size_t block_ = 0;
  std::array<unsigned char, size_max> of_nothing_{};
  bool good_ = false;
};

/// What a secret or a key is for: "tls13 " and "key". At most 255 bytes together.
struct Label {
  Bytes prefix;
  Bytes name;
};

/// HKDF-Expand-Label. data: at most 255 bytes; out: at most 255 hashes.
bool expand(Hash& hash, Bytes secret, const Label& label, Bytes data, std::span<unsigned char> out) noexcept;

/// The next secret: HKDF-Extract of `input` (empty: zeros), whose salt is what `label` makes of the secret before
/// (empty: there is none). out: hash.size() bytes.
bool extract(Hash& hash, Bytes before, const Label& label, Bytes input,
             std::span<unsigned char> out) noexcept;

}  // namespace millrace::tls
