#include "engine/ext/bench/secure.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>

#include "engine/base/assert.hpp"
#include "engine/ext/tls/openssl.hpp"

namespace millrace::bench {
namespace {

constexpr std::array<unsigned char, 9> http11 = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes;
  return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

/// Who the server must be: the name, which is also told to it (RFC 6066 section 3), or the address.
bool expect_host(SSL* ssl, const TlsPlan& plan) {
  if (is_address(plan.host)) {
    return !plan.verify || X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), plan.host.c_str()) == 1;
  }
  return SSL_set_tlsext_host_name(ssl, plan.host.c_str()) == 1 &&
         (!plan.verify || SSL_set1_host(ssl, plan.host.c_str()) == 1);
}

}  // namespace

std::unique_ptr<SecureContext> SecureContext::make(const TlsPlan& plan, std::string& problem) {
  tls::SslContext context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_alpn_protos(context.get(), http11.data(), http11.size()) != 0) {
    problem = "TLS cannot be set up: " + tls::take_error();
    return nullptr;
  }
  SSL_CTX_set_verify(context.get(), plan.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  // Each connection makes its own: a resumed handshake is another, cheaper thing to measure.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  const bool known = plan.ca_file.empty()
                         ? SSL_CTX_set_default_verify_paths(context.get()) == 1
                         : SSL_CTX_load_verify_file(context.get(), plan.ca_file.c_str()) == 1;
  if (plan.verify && !known) {
    problem = "no certificates can be read from " + (plan.ca_file.empty() ? "the system" : plan.ca_file) +
              ": " + tls::take_error();
    return nullptr;
  }
  return std::unique_ptr<SecureContext>(new SecureContext(plan, context.release()));
}

SecureContext::~SecureContext() { SSL_CTX_free(context_); }
SecureStream::~SecureStream() { SSL_free(ssl_); }

bool SecureStream::start() noexcept {
  SSL_free(ssl_);
  waiting_ = {};
  fault_.clear();
  ended_ = false;
  ssl_ = SSL_new(context_.context_);
  if (ssl_ == nullptr) return false;
  BIO* const in = BIO_new(BIO_s_mem());
  BIO* const out = BIO_new(BIO_s_mem());
  if (in == nullptr || out == nullptr || !expect_host(ssl_, context_.plan_)) {
    BIO_free(in);
    BIO_free(out);
    return false;
  }
  BIO_set_mem_eof_return(in, -1);  // An empty one is to be asked again.
  SSL_set_bio(ssl_, in, out);
  SSL_set_connect_state(ssl_);
  return true;
}

void SecureStream::write(std::string_view plain) noexcept {
  MR_ASSERT(waiting_.empty());
  waiting_ = plain;
  if (!fault_.empty() || !shake_hands()) return;
  waiting_ = {};
  std::size_t written = 0;
  const int result = SSL_write_ex(ssl_, plain.data(), plain.size(), &written);
  if (result != 1) return judge(result);
  MR_ASSERT(written == plain.size());  // The BIO of memory takes everything.
}

void SecureStream::feed(std::string_view records) noexcept {
  const int taken = BIO_write(SSL_get_rbio(ssl_), records.data(), static_cast<int>(records.size()));
  MR_ASSERT(taken == static_cast<int>(records.size()));
  if (SSL_is_init_finished(ssl_) == 0 && shake_hands() && !waiting_.empty()) {
    const std::string_view plain = waiting_;
    waiting_ = {};
    write(plain);
  }
}

std::size_t SecureStream::read(std::span<char> out) noexcept {
  std::size_t size = 0;
  if (!fault_.empty() || SSL_is_init_finished(ssl_) == 0) return 0;
  const int result = SSL_read_ex(ssl_, out.data(), out.size(), &size);
  if (result == 1) return size;
  judge(result);
  return 0;
}

void SecureStream::take_records(std::string& out) {
  char* records = nullptr;
  const long size = BIO_get_mem_data(SSL_get_wbio(ssl_), &records);
  if (size <= 0) return;
  out.append(records, static_cast<std::size_t>(size));
  static_cast<void>(BIO_reset(SSL_get_wbio(ssl_)));
}

/// True where the handshake is complete.
bool SecureStream::shake_hands() noexcept {
  if (SSL_is_init_finished(ssl_) == 1) return true;
  const int result = SSL_do_handshake(ssl_);
  if (result != 1) judge(result);
  return result == 1;
}

/// What it means that OpenSSL did not do what it was asked for.
void SecureStream::judge(int result) noexcept {
  const int error = SSL_get_error(ssl_, result);
  if (error == SSL_ERROR_ZERO_RETURN) {
    ended_ = true;
    static_cast<void>(SSL_shutdown(ssl_));  // Some wait for our word before they close.
  } else if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
    const long verdict = SSL_get_verify_result(ssl_);
    fault_ =
        verdict != X509_V_OK && context_.plan_.verify
            ? std::string("TLS: the certificate is not trusted: ") + X509_verify_cert_error_string(verdict)
            : "TLS: " + tls::take_error();
  }
  ERR_clear_error();
}

}  // namespace millrace::bench
