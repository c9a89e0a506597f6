// tls_support.hpp: certificates made in memory, and an OpenSSL client over the simulated network.
#pragma once

#include <doctest/doctest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/serve/secure.hpp"
#include "tests/sim/one_core.hpp"

namespace millrace::test {

/// A file that is gone when the test is over.
class TestFile {
 public:
  TestFile() {
    const int descriptor = ::mkstemp(name_);
    REQUIRE(descriptor >= 0);
    ::close(descriptor);
  }
  TestFile(const TestFile&) = delete;
  TestFile& operator=(const TestFile&) = delete;
  ~TestFile() { ::unlink(name_); }
  const char* name() const { return name_; }

 private:
  char name_[32] = "/tmp/millrace-tls-XXXXXX";
};

/// A certificate for a name, signed by itself, and its key, in files.
struct TestCertificate {
  explicit TestCertificate(const std::string& host, long begins_s = -60) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* made = X509_new();
    X509_set_version(made, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
    X509_gmtime_adj(X509_getm_notBefore(made), begins_s);
    X509_gmtime_adj(X509_getm_notAfter(made), begins_s + 3660);
    X509_set_pubkey(made, key);
    X509_NAME* name = X509_get_subject_name(made);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(host.c_str()),
                               -1, -1, 0);
    X509_set_issuer_name(made, name);
    X509_EXTENSION* names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("DNS:" + host).c_str());
    X509_add_ext(made, names, -1);
    X509_EXTENSION_free(names);
    REQUIRE(X509_sign(made, key, EVP_sha256()) > 0);
    std::FILE* out = std::fopen(cert.name(), "w");
    PEM_write_X509(out, made);
    std::fclose(out);
    out = std::fopen(this->key.name(), "w");
    PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(out);
    X509_free(made);
    EVP_PKEY_free(key);
  }
  TestFile cert;
  TestFile key;
};

inline ServerOptions tls_options(const TestCertificate& of) {
  ServerOptions options;
  options.tls_listen = {"127.0.0.1:0"};
  options.tls_cert = of.cert.name();
  options.tls_key = of.key.name();
  return options;
}

/// A core on the simulated network that speaks TLS.
struct TlsCore {
  explicit TlsCore(serve::Secure& secure, const serve::CoreOptions& options = small_options(),
                   const io::sim::FaultPlan& plan = {}, std::size_t core = 0, std::uint64_t seed = 7)
      : factory(secure.make_factory(core)), one(options, plan, seed), listener(one.world.listen()) {
    one.core.listen(listener, factory.get());
  }
  Client connect() { return one.world.connect(listener); }
  std::uint64_t handshakes() const { return factory->counters().handshakes; }
  std::uint64_t resumed() const { return factory->counters().resumed; }
  std::uint64_t failures() const { return factory->counters().failures; }

  std::unique_ptr<net::TransportFactory> factory;  // Outlives the core.
  OneCore one;
  io::Descriptor listener;
};

/// OpenSSL's client; what it writes is the test's to send, whole or in pieces.
class TlsClient {
 public:
  explicit TlsClient(TlsCore& core, int version = TLS1_3_VERSION, SSL_SESSION* session = nullptr)
      : core_(core), wire(core.connect()), context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_min_proto_version(context_, version);
    SSL_CTX_set_max_proto_version(context_, version);
    ssl = SSL_new(context_);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl);
    SSL_set_tlsext_host_name(ssl, "localhost");
    if (session != nullptr) SSL_set_session(ssl, session);
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;
  ~TlsClient() {
    SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN);  // Else OpenSSL would not let its session be resumed.
    SSL_free(ssl);
    SSL_CTX_free(context_);
  }

  /// What it wants to send, beginning with its hello.
  std::string flight() {
    if (SSL_is_init_finished(ssl) == 0) SSL_do_handshake(ssl);
    std::string bytes(BIO_ctrl_pending(SSL_get_wbio(ssl)), '\0');
    if (!bytes.empty()) BIO_read(SSL_get_wbio(ssl), bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
  }
  /// Takes what the server sent; content goes to `content`.
  void feed() {
    const std::string bytes = wire.take();
    seen += bytes;
    if (!bytes.empty()) BIO_write(SSL_get_rbio(ssl), bytes.data(), static_cast<int>(bytes.size()));
    if (SSL_is_init_finished(ssl) == 0) SSL_do_handshake(ssl);
    char part[16384];
    int size = 0;
    while (SSL_is_init_finished(ssl) != 0 && (size = SSL_read(ssl, part, sizeof part)) > 0) {
      content.append(part, static_cast<std::size_t>(size));
    }
    ERR_clear_error();
  }
  /// Both ends talk until nobody has anything to say.
  void talk() {
    for (int idle = 0; idle < 3;) {
      const std::string bytes = flight();
      if (!bytes.empty() && !wire.ended()) wire.write(bytes);
      core_.one.run(ns_per_ms);
      idle = bytes.empty() && wire.received().empty() ? idle + 1 : 0;
      feed();
    }
  }
  void write(std::string_view text) { SSL_write(ssl, text.data(), static_cast<int>(text.size())); }
  /// The server's close_notify was read.
  bool closed() const { return (SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN) != 0; }
  std::string peer_name() const {
    char text[100] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(ssl)), NID_commonName, text,
                              sizeof text);
    return text;
  }

 private:
  TlsCore& core_;

 public:
  Client wire;
  SSL* ssl = nullptr;
  std::string content;
  std::string seen;  ///< All that the server sent.

 private:
  SSL_CTX* context_;
};

/// A server's certificates, loaded.
struct TlsFixture {
  static constexpr std::size_t cores = 2;
  TlsFixture() : certificate("localhost"), options(tls_options(certificate)), secure(serve::make_secure()) {
    REQUIRE(load().empty());
  }
  /// The problems.
  std::vector<std::string> load() {
    std::vector<std::string> problems;
    std::vector<std::string> warnings;
    secure->load(options, cores, problems, warnings);
    return problems;
  }
  TestCertificate certificate;
  ServerOptions options;
  std::unique_ptr<serve::Secure> secure;
};

}  // namespace millrace::test
