// key_derivation.hpp: how TLS 1.3 makes keys of secrets (RFC 8446 section 7.1), as a provider for OpenSSL.
//
// OpenSSL has the same, and looks up the algorithm and its digest and makes four contexts for each of the twenty keys
// of a handshake: a fifteenth of the whole (docs/decisions/0030). The hashing itself stays OpenSSL's.
#pragma once

#include "engine/ext/tls/openssl.hpp"

namespace millrace::tls {

/// For SSL_CTX_new_ex(): asks for ours, where the process's openssl.cnf does not demand another's (fips=yes).
inline constexpr const char* own_derivation = "?provider=millrace";

/// Adds it to a library that is not the process's: two threads must not shake hands with one library at a time.
/// Null: no memory, or a process without SHA-256; then OpenSSL's own is used.
Provider add_key_derivation(OSSL_LIB_CTX& library) noexcept;

}  // namespace millrace::tls
