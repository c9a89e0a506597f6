#include "engine/ext/tls/key_derivation.hpp"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <atomic>
#include <new>

#include "engine/base/assert.hpp"
#include "engine/ext/tls/hkdf.hpp"

namespace millrace::tls {
namespace {

/// What OpenSSL asks for, by the names of EVP_KDF-TLS13_KDF(7).
struct Wish {
  explicit Wish(const OSSL_PARAM* parameter) noexcept {
    for (; parameter != nullptr && parameter->key != nullptr; ++parameter) {
      const std::string_view name = parameter->key;
      if (name == OSSL_KDF_PARAM_MODE) good &= OSSL_PARAM_get_int(parameter, &mode) == 1;
      if (name == OSSL_KDF_PARAM_DIGEST) good &= OSSL_PARAM_get_utf8_string_ptr(parameter, &digest) == 1;
      if (name == OSSL_KDF_PARAM_KEY) read(*parameter, key);
      if (name == OSSL_KDF_PARAM_SALT) read(*parameter, salt);
      if (name == OSSL_KDF_PARAM_PREFIX) read(*parameter, label.prefix);
      if (name == OSSL_KDF_PARAM_LABEL) read(*parameter, label.name);
      if (name == OSSL_KDF_PARAM_DATA) read(*parameter, data);
    }
  }
  void read(const OSSL_PARAM& parameter, Bytes& out) noexcept {
    const void* bytes = nullptr;
    std::size_t size = 0;
    good &= OSSL_PARAM_get_octet_string_ptr(&parameter, &bytes, &size) == 1;
    out = {static_cast<const unsigned char*>(bytes), size};
  }

  int mode = -1;
  const char* digest = nullptr;
  Label label;
  Bytes key, salt, data;
  bool good = true;
};

/// The provider, and at the same time every context that is made of it: each derives at once, and keeps nothing.
class Derivation {
 public:
  bool good() const noexcept { return sha256_.good() && sha384_.good(); }
  bool derive(const Wish& wish, std::span<unsigned char> out) noexcept {
    MR_ASSERT(!busy_.exchange(true, std::memory_order_acquire));
    const bool good = wish.good && wish.digest != nullptr && derive(wish, wish.digest, out);
    busy_.store(false, std::memory_order_release);
    return good;
  }

 private:
  bool derive(const Wish& wish, std::string_view digest, std::span<unsigned char> out) noexcept {
    Hash* const hash = sha256_.is(digest) ? &sha256_ : sha384_.is(digest) ? &sha384_ : nullptr;
    if (hash == nullptr) return false;
    if (wish.mode == EVP_KDF_HKDF_MODE_EXTRACT_ONLY)
      return extract(*hash, wish.salt, wish.label, wish.key, out);
    return wish.mode == EVP_KDF_HKDF_MODE_EXPAND_ONLY && !wish.key.empty() &&
           expand(*hash, wish.key, wish.label, wish.data, out);
  }

  Hash sha256_{"SHA256", "256"};
  Hash sha384_{"SHA384", "384"};
  std::atomic<bool> busy_{false};
};

// ---- What OpenSSL calls: provider(7), provider-kdf(7)

void* new_context(void* provider) { return provider; }
void free_context(void*) {}
int derive(void* derivation, unsigned char* out, std::size_t size, const OSSL_PARAM* parameters) {
  return static_cast<Derivation*>(derivation)->derive(Wish(parameters), {out, size}) ? 1 : 0;
}
void tear_down(void* provider) { delete static_cast<Derivation*>(provider); }

template <class Function>
OSSL_DISPATCH entry(int id, Function* function) noexcept {
  return {id, reinterpret_cast<void (*)()>(function)};
}

const OSSL_ALGORITHM* query(void*, int operation, int* no_store) {
  static const OSSL_DISPATCH functions[] = {entry(OSSL_FUNC_KDF_NEWCTX, new_context),
                                            entry(OSSL_FUNC_KDF_FREECTX, free_context),
                                            entry(OSSL_FUNC_KDF_DERIVE, derive),
                                            {0, nullptr}};
  static const OSSL_ALGORITHM derivations[] = {
      {OSSL_KDF_NAME_TLS1_3_KDF, "provider=millrace", functions, "TLS 1.3 key derivation"},
      {nullptr, nullptr, nullptr, nullptr}};
  *no_store = 0;
  return operation == OSSL_OP_KDF ? derivations : nullptr;
}

int begin(const OSSL_CORE_HANDLE*, const OSSL_DISPATCH*, const OSSL_DISPATCH** out, void** provider) {
  static const OSSL_DISPATCH functions[] = {entry(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
                                            entry(OSSL_FUNC_PROVIDER_TEARDOWN, tear_down),
                                            {0, nullptr}};
  auto* made = new (std::nothrow) Derivation;
  if (made == nullptr || !made->good()) {
    delete made;
    return 0;
  }
  *out = functions;
  *provider = made;
  return 1;
}

}  // namespace

Provider add_key_derivation(OSSL_LIB_CTX& library) noexcept {
  Provider added;
  // 1: the default provider stays, where openssl.cnf names no other.
  if (OSSL_PROVIDER_add_builtin(&library, "millrace", begin) == 1)
    added.reset(OSSL_PROVIDER_try_load(&library, "millrace", 1));
  ERR_clear_error();
  return added;
}

}  // namespace millrace::tls
