// context.hpp: everything a handshake is decided by: certificates by name, versions, ciphers, clients'
// certificates. Immutable once built; a reload builds another, and connections keep theirs.
#pragma once

#include <millrace/server.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/ext/tls/openssl.hpp"
#include "engine/ext/tls/ticket_keys.hpp"

namespace millrace::tls {

class Context {
 public:
  /// Null where `problems` got a sentence. keys, library: must outlive it, and every connection made from it.
  static std::shared_ptr<const Context> build(const ServerOptions& options, TicketKeys& keys,
                                              OSSL_LIB_CTX* library, std::vector<std::string>& problems,
                                              std::vector<std::string>& warnings);
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// A new server-side SSL; null: no memory. This must outlive its handshake.
  SSL* make_ssl() const noexcept { return SSL_new(contexts_.front().get()); }
  /// The certificate for a name (RFC 6066 section 3): its own, else that of a wildcard for its first
  /// label; null where only the first certificate is left, which is everybody's.
  SSL_CTX* find(std::string_view host) const;

 private:
  Context() = default;
  bool add(const ServerOptions& options, const TlsCertificate& certificate, TicketKeys& keys,
           OSSL_LIB_CTX* library, std::vector<std::string>& problems, std::vector<std::string>& warnings);

  std::vector<SslContext> contexts_;
  std::unordered_map<std::string, SSL_CTX*> by_name_;
};

/// The certificates `options` name: tls_cert with tls_key first.
std::vector<TlsCertificate> certificates_of(const ServerOptions& options);

}  // namespace millrace::tls
