#include "tests/support/record_sealer.hpp"

#include <linux/tls.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <type_traits>

#include "engine/base/assert.hpp"

namespace millrace::test {
namespace {

constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;

std::string text_of(const unsigned char* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}
const unsigned char* bytes_of(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string of_16(std::size_t number) { return {static_cast<char>(number >> 8), static_cast<char>(number)}; }

/// The next number of as many bytes, the first the highest.
void raise(std::string& number) {
  for (auto byte = number.rbegin(); byte != number.rend() && static_cast<unsigned char>(++*byte) == 0;)
    ++byte;
}

class RecordSealer final : public io::sim::Sealer {
 public:
  template <class Info>
  RecordSealer(const Info& info, const EVP_CIPHER* cipher)
      : old_(info.info.version == TLS_1_2_VERSION),
        explicit_nonce_(old_ && !std::is_same_v<Info, tls12_crypto_info_chacha20_poly1305>),
        key_(text_of(info.key, sizeof info.key)),
        salt_(text_of(info.salt, nonce_bytes - sizeof info.iv)),
        iv_(text_of(info.iv, sizeof info.iv)),
        number_(text_of(info.rec_seq, sizeof info.rec_seq)),
        cipher_(cipher) {}

  std::string seal(std::uint8_t type, std::string_view bytes) override {
    const char kind = static_cast<char>(type);
    const std::string inner = old_ ? std::string(bytes) : std::string(bytes) + kind;
    const std::string outside = explicit_nonce_ ? iv_ : std::string();
    const std::string head = std::string(1, old_ ? kind : '\x17') + "\x03\x03";
    const std::string framed = head + of_16(outside.size() + inner.size() + tag_bytes);
    const std::string sealed = encrypt(inner, old_ ? number_ + head + of_16(inner.size()) : framed);
    raise(number_);
    if (explicit_nonce_) raise(iv_);
    return framed + outside + sealed;
  }

 private:
  std::string nonce() const {
    std::string made = salt_ + iv_;
    for (std::size_t i = 0; !explicit_nonce_ && i < number_.size(); ++i)
      made[nonce_bytes - number_.size() + i] ^= number_[i];
    return made;
  }

  std::string encrypt(const std::string& plain, const std::string& beside) const {
    std::string out(plain.size() + tag_bytes, '\0');
    auto* to = reinterpret_cast<unsigned char*>(out.data());
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
    int size = 0;
    MR_ASSERT(EVP_EncryptInit_ex(context, cipher_, nullptr, bytes_of(key_), bytes_of(nonce())) == 1);
    MR_ASSERT(EVP_EncryptUpdate(context, nullptr, &size, bytes_of(beside), static_cast<int>(beside.size())) ==
              1);
    MR_ASSERT(EVP_EncryptUpdate(context, to, &size, bytes_of(plain), static_cast<int>(plain.size())) == 1);
    MR_ASSERT(EVP_EncryptFinal_ex(context, to + size, &size) == 1);
    MR_ASSERT(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, tag_bytes, to + plain.size()) == 1);
    EVP_CIPHER_CTX_free(context);
    return out;
  }

  bool old_;  ///< TLS 1.2.
  bool explicit_nonce_;
  std::string key_, salt_, iv_, number_;
  const EVP_CIPHER* cipher_;
};

template <class Info>
std::unique_ptr<io::sim::Sealer> make(std::span<const char> keys, const EVP_CIPHER* cipher) {
  Info info;
  MR_ASSERT(keys.size() == sizeof info);
  std::memcpy(&info, keys.data(), sizeof info);
  return std::make_unique<RecordSealer>(info, cipher);
}

}  // namespace

std::unique_ptr<io::sim::Sealer> make_record_sealer(std::span<const char> keys) {
  tls_crypto_info info;
  MR_ASSERT(keys.size() >= sizeof info);
  std::memcpy(&info, keys.data(), sizeof info);
  switch (info.cipher_type) {
    case TLS_CIPHER_AES_GCM_128: return make<tls12_crypto_info_aes_gcm_128>(keys, EVP_aes_128_gcm());
    case TLS_CIPHER_AES_GCM_256: return make<tls12_crypto_info_aes_gcm_256>(keys, EVP_aes_256_gcm());
    case TLS_CIPHER_CHACHA20_POLY1305:
      return make<tls12_crypto_info_chacha20_poly1305>(keys, EVP_chacha20_poly1305());
    default: return nullptr;
  }
}

}  // namespace millrace::test
