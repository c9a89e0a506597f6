// openssl.hpp: owners of what OpenSSL gives, and its errors as text.
#pragma once

#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace millrace::tls {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
using SslContext = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
/// OpenSSL's algorithms, looked up and counted by themselves.
using Library = std::unique_ptr<OSSL_LIB_CTX, Freer<OSSL_LIB_CTX_free>>;
/// Loaded into a library, which must outlive it.
using Provider = std::unique_ptr<OSSL_PROVIDER, Freer<OSSL_PROVIDER_unload>>;
using MemoryBio = std::unique_ptr<BIO, Freer<BIO_free_all>>;

/// What this thread's error queue says went wrong first, and empties it.
inline std::string take_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason != nullptr ? reason : "unknown error";
}

}  // namespace millrace::tls
