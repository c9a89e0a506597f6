#include "engine/ext/tls/hkdf.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>

namespace millrace::tls {
namespace {

constexpr std::size_t part_max = 255;  ///< Bytes of a label, or of its data: their length is one byte.
using Secret = std::array<unsigned char, Hash::size_max>;

}  // namespace

Hash::Hash(const char* name, std::string_view suffix) noexcept
    : digest_(EVP_MD_fetch(nullptr, name, nullptr)), context_(EVP_MD_CTX_new()), suffix_(suffix) {
  if (digest_ == nullptr || context_ == nullptr) return;
  size_ = static_cast<std::size_t>(EVP_MD_get_size(digest_));
  block_ = static_cast<std::size_t>(EVP_MD_get_block_size(digest_));
  good_ = size_ <= size_max && block_ <= block_max && begin({}) && end(of_nothing_.data());
}

Hash::~Hash() {
  EVP_MD_CTX_free(context_);
  EVP_MD_free(digest_);
}

// With the function that the context has already nothing is allocated, looked up or counted.
bool Hash::begin(Bytes bytes) noexcept {
  return EVP_DigestInit_ex2(context_, digest_, nullptr) == 1 && add(bytes);
}

bool Hash::add(Bytes bytes) noexcept { return EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1; }

bool Hash::end(unsigned char* out) noexcept { return EVP_DigestFinal_ex(context_, out, nullptr) == 1; }

bool Hash::mac(Bytes key, Bytes front, Bytes back, unsigned char* out) noexcept {
  if (key.size() > block_) return false;
  constexpr unsigned char inner = 0x36, outer = 0x5c;
  std::array<unsigned char, block_max> pad{};
  std::copy(key.begin(), key.end(), pad.begin());
  for (unsigned char& byte : pad) byte ^= inner;
  bool good = begin({pad.data(), block_}) && add(front) && add(back) && end(out);
  for (unsigned char& byte : pad) byte ^= inner ^ outer;
  good = good && begin({pad.data(), block_}) && add({out, size_}) && end(out);
  OPENSSL_cleanse(pad.data(), pad.size());
  return good;
}

// HKDF-Expand (RFC 5869 section 2.3): each part is the MAC of the one before, of a structure with the length, the label
// and the data, and of its own number.
bool expand(Hash& hash, Bytes secret, const Label& label, Bytes data, std::span<unsigned char> out) noexcept {
  const std::size_t label_bytes = label.prefix.size() + label.name.size();
  if (label_bytes > part_max || data.size() > part_max || out.size() > 255 * hash.size()) return false;
  std::array<unsigned char, 2 + 2 * (1 + part_max) + 1> info;
  unsigned char* to = info.data();
  const auto put = [&](Bytes bytes) { to = std::copy(bytes.begin(), bytes.end(), to); };
  *to++ = static_cast<unsigned char>(out.size() >> 8);
  *to++ = static_cast<unsigned char>(out.size());
  *to++ = static_cast<unsigned char>(label_bytes);
  put(label.prefix);
  put(label.name);
  *to++ = static_cast<unsigned char>(data.size());
  put(data);
  unsigned char& number = *to++ = 0;
  const Bytes structure(info.data(), to);
  Secret part;
  Bytes before;
  bool good = true;
  while (good && !out.empty()) {
    ++number;
    good = hash.mac(secret, before, structure, part.data());
    before = {part.data(), hash.size()};
    const std::size_t taken = std::min(hash.size(), out.size());
    std::copy_n(part.begin(), taken, out.begin());
    out = out.subspan(taken);
  }
  OPENSSL_cleanse(part.data(), part.size());
  return good;
}

bool extract(Hash& hash, Bytes before, const Label& label, Bytes input,
             std::span<unsigned char> out) noexcept {
  if (out.size() != hash.size()) return false;
  const Secret zeros{};
  Secret derived{};
  Bytes salt;
  if (!before.empty()) {
    if (!expand(hash, before, label, hash.of_nothing(), {derived.data(), hash.size()})) return false;
    salt = {derived.data(), hash.size()};
  }
  const bool good = hash.mac(salt, input.empty() ? Bytes(zeros).first(hash.size()) : input, {}, out.data());
  OPENSSL_cleanse(derived.data(), derived.size());
  return good;
}

}  // namespace millrace::tls
