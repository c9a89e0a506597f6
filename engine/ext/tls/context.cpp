#include "engine/ext/tls/context.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <cstring>
#include <iterator>

#include "engine/ext/tls/certificate_files.hpp"
#include "engine/ext/tls/key_derivation.hpp"

namespace millrace::tls {
namespace {

// TLS 1.2: forward secrecy and authenticated encryption alone. TLS 1.3 has nothing weaker.
constexpr const char* ciphers_of_tls12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* ciphers_of_tls13 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* groups = "X25519:P-256:P-384";
constexpr std::array<unsigned char, 9> http11 = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

// A client that offers protocols, but not this one, is refused (RFC 7301 section 3.2).
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                    unsigned in_size, void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, http11.data(), http11.size(), in, in_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

int choose_certificate(SSL* ssl, int*, void* of) {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
  SSL_CTX* found = static_cast<const Context*>(of)->find(name);
  if (found == nullptr) return SSL_TLSEXT_ERR_NOACK;  // Unknown: the first certificate.
  SSL_set_SSL_CTX(ssl, found);
  return SSL_TLSEXT_ERR_OK;
}

bool start_mac(EVP_MAC_CTX* mac, TicketKeys::Key& key) noexcept {
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

/// OpenSSL's contract: < 0 an error, 0 a full handshake, 1 the ticket is good, 2 and is to be renewed.
int use_ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                   int seals) {
  auto* keys = static_cast<TicketKeys*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  TicketKeys::Key key;
  bool renew = false;
  int verdict = 0;
  if (seals == 1) {
    const bool ready = keys->newest(key) && RAND_bytes(iv, EVP_MAX_IV_LENGTH) == 1;
    std::memcpy(name, key.name.data(), key.name.size());
    verdict = ready ? 1 : -1;
  } else if (keys->find(name, key, renew)) {
    // In TLS 1.3 a ticket is used once, so that nobody can link two connections (RFC 8446 appendix C.4):
    // every resumption gets a new one.
    verdict = renew || SSL_version(ssl) == TLS1_3_VERSION ? 2 : 1;
  }
  if (verdict > 0) {
    const bool set = EVP_CipherInit_ex(cipher, keys->cipher(), nullptr, key.cipher.data(), iv, seals) == 1;
    if (!set || !start_mac(mac, key)) verdict = -1;
  }
  OPENSSL_cleanse(&key, sizeof key);
  return verdict;
}

// A session that was made under another rule for clients must not be resumed under this one.
bool set_session_scope(SSL_CTX* context, const ServerOptions& options) {
  const std::string scope = options.tls_client_auth + '\0' + options.tls_client_ca;
  std::array<unsigned char, 32> digest{};
  return EVP_Digest(scope.data(), scope.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1 &&
         SSL_CTX_set_session_id_context(context, digest.data(), digest.size()) == 1;
}

bool set_defaults(SSL_CTX* context, const ServerOptions& options, TicketKeys& keys) {
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  // An idle connection keeps no 16 KiB. And the chain is what the file holds: not looked for anew, and
  // verified, in every handshake.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // Tickets alone: nothing is kept, nor locked.
  SSL_CTX_set_timeout(context, static_cast<long>(options.tls_session_ms / 1000));
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_app_data(context, &keys);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  const int lowest = options.tls_min_version == "1.3" ? TLS1_3_VERSION : TLS1_2_VERSION;
  return SSL_CTX_set_min_proto_version(context, lowest) == 1 &&
         SSL_CTX_set_cipher_list(context, ciphers_of_tls12) == 1 &&
         SSL_CTX_set_ciphersuites(context, ciphers_of_tls13) == 1 &&
         SSL_CTX_set1_groups_list(context, groups) == 1 &&
         SSL_CTX_set_tlsext_ticket_key_evp_cb(context, use_ticket_key) == 1 &&
         set_session_scope(context, options);
}

bool set_client_rule(SSL_CTX* context, const ServerOptions& options, std::vector<std::string>& problems) {
  if (options.tls_client_auth == "off") return true;
  const bool required = options.tls_client_auth == "required";
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  return use_client_authorities(context, options.tls_client_ca, problems);
}

}  // namespace

std::vector<TlsCertificate> certificates_of(const ServerOptions& options) {
  std::vector<TlsCertificate> all;
  if (!options.tls_cert.empty() || !options.tls_key.empty()) {
    all.push_back({options.tls_cert, options.tls_key, {}});
  }
  all.insert(all.end(), options.tls_certificates.begin(), options.tls_certificates.end());
  return all;
}

std::shared_ptr<const Context> Context::build(const ServerOptions& options, TicketKeys& keys,
                                              OSSL_LIB_CTX* library, std::vector<std::string>& problems,
                                              std::vector<std::string>& warnings) {
  const std::shared_ptr<Context> made(new Context);
  const std::vector<TlsCertificate> certificates = certificates_of(options);
  if (certificates.empty()) {
    problems.emplace_back("[tls] listen is set, but no certificate: add cert = \"FILE\" and key = \"FILE\"");
  }
  bool good = !certificates.empty();
  for (const TlsCertificate& certificate : certificates) {
    good = made->add(options, certificate, keys, library, problems, warnings) && good;
  }
  if (!good) return nullptr;
  SSL_CTX* first = made->contexts_.front().get();
  SSL_CTX_set_tlsext_servername_callback(first, choose_certificate);
  SSL_CTX_set_tlsext_servername_arg(first, made.get());
  return made;
}

bool Context::add(const ServerOptions& options, const TlsCertificate& certificate, TicketKeys& keys,
                  OSSL_LIB_CTX* library, std::vector<std::string>& problems,
                  std::vector<std::string>& warnings) {
  SslContext context(SSL_CTX_new_ex(library, own_derivation, TLS_server_method()));
  if (!context || !set_defaults(context.get(), options, keys)) {
    problems.push_back("[tls] OpenSSL does not start (" + take_error() +
                       "): check its configuration, openssl.cnf, or set OPENSSL_CONF=/dev/null");
    return false;
  }
  // The rule for clients is the same for all: its faults are told once.
  if (contexts_.empty() && !set_client_rule(context.get(), options, problems)) return false;
  if (!use_certificate(context.get(), library, certificate, problems, warnings)) return false;
  std::vector<std::string> names = certificate.hosts;
  if (names.empty()) names = names_of(context.get());
  for (const std::string& name : names) by_name_.try_emplace(lower_case(name), context.get());
  contexts_.push_back(std::move(context));
  return true;
}

SSL_CTX* Context::find(std::string_view host) const {
  const std::string name = lower_case(host);
  if (const auto found = by_name_.find(name); found != by_name_.end()) return found->second;
  const std::size_t dot = name.find('.');
  if (dot == std::string::npos) return nullptr;
  const auto wildcard = by_name_.find(std::string(1, '*').append(name, dot));
  return wildcard != by_name_.end() ? wildcard->second : nullptr;
}

}  // namespace millrace::tls
