#include "tests/sim/sim_tls.hpp"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/mman.h>
#include <unistd.h>
#include <millrace/server.hpp>

#include <algorithm>
#include <ctime>
#include <vector>

#include "engine/base/assert.hpp"
#include "engine/io/sim/random.hpp"
#include "engine/serve/secure.hpp"
#include "tests/support/record_sealer.hpp"

namespace {

constexpr std::time_t the_time = 1'700'000'000;

}  // namespace

// In place of the C library's, for OpenSSL above all: tickets carry the time at which they were made.
extern "C" std::time_t time(std::time_t* out) noexcept {
  if (out != nullptr) *out = the_time;
  return the_time;
}

namespace millrace::test {
namespace {

io::sim::Random& numbers() noexcept {
  static io::sim::Random random(1);
  return random;
}

int draw(unsigned char* out, int size) noexcept {
  for (int i = 0; i < size; ++i) out[i] = static_cast<unsigned char>(numbers().next() >> 32);
  return 1;
}

int ready() noexcept { return 1; }

// Deprecated in favour of providers, which would be a hundred lines for the same.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
void take_the_numbers_of_openssl() {
  static RAND_METHOD method{nullptr, draw, nullptr, nullptr, draw, ready};
  MR_ASSERT(RAND_set_rand_method(&method) == 1);
}
#pragma GCC diagnostic pop

/// A file in memory, by a name that can be opened.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(::memfd_create("sim-tls", MFD_CLOEXEC)) { MR_ASSERT(descriptor_ >= 0); }
  std::string name() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;  // Of the process, and its children.
};

/// A certificate that signs itself, once a process: drawn from one seed, whatever worlds there are.
struct Certificate {
  Certificate() {
    numbers() = io::sim::Random(1);
    EVP_PKEY* pair = EVP_EC_gen("P-256");
    X509* made = X509_new();
    X509_set_version(made, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
    ASN1_TIME_set(X509_getm_notBefore(made), the_time - 3600);
    ASN1_TIME_set(X509_getm_notAfter(made), the_time + 3600);
    X509_set_pubkey(made, pair);
    const auto* name = reinterpret_cast<const unsigned char*>("sim");
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC, name, -1, -1, 0);
    X509_set_issuer_name(made, X509_get_subject_name(made));
    MR_ASSERT(X509_sign(made, pair, EVP_sha256()) > 0);
    std::FILE* out = std::fopen(cert.name().c_str(), "w");
    PEM_write_X509(out, made);
    std::fclose(out);
    out = std::fopen(key.name().c_str(), "w");
    PEM_write_PrivateKey(out, pair, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(out);
    X509_free(made);
    EVP_PKEY_free(pair);
  }
  MemoryFile cert, key;
};

SSL_CTX* client_context() {
  SSL_CTX* made = SSL_CTX_new(TLS_client_method());
  MR_ASSERT(made != nullptr);
  return made;
}

/// What lives as long as the process, and draws its numbers before any world.
struct Shared {
  Certificate certificate;
  SSL_CTX* clients = client_context();
};

Shared& shared() {
  static Shared& one = *[] {
    take_the_numbers_of_openssl();
    return new Shared;
  }();
  return one;
}

class OpenSslEnd final : public TlsEnd {
 public:
  OpenSslEnd(SSL_CTX* context, bool old) : ssl_(SSL_new(context)) {
    MR_ASSERT(ssl_ != nullptr);
    SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl_);
    if (old) SSL_set_max_proto_version(ssl_, TLS1_2_VERSION);
    go_on();
  }
  OpenSslEnd(const OpenSslEnd&) = delete;
  OpenSslEnd& operator=(const OpenSslEnd&) = delete;
  ~OpenSslEnd() override { SSL_free(ssl_); }

  void write(std::string_view content) override {
    waiting_ += content;
    go_on();
  }
  void end() override {
    ends_ = true;
    go_on();
  }
  void feed(std::string_view wire, std::string& content) override {
    BIO_write(SSL_get_rbio(ssl_), wire.data(), static_cast<int>(wire.size()));
    go_on();
    char part[16384];
    int size = 0;
    while (open() && (size = SSL_read(ssl_, part, sizeof part)) > 0)
      content.append(part, static_cast<std::size_t>(size));
    if (open() && SSL_get_error(ssl_, size) == SSL_ERROR_SSL) broken_ = true;
    ERR_clear_error();
  }
  std::string take_wire() override {
    std::string bytes(BIO_ctrl_pending(SSL_get_wbio(ssl_)), '\0');
    if (!bytes.empty()) BIO_read(SSL_get_wbio(ssl_), bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
  }
  bool open() const override { return SSL_is_init_finished(ssl_) != 0; }
  bool ended() const override { return (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0; }
  bool broken() const override { return broken_; }

 private:
  void go_on() {
    if (broken_) return;
    if (!open()) {
      const int result = SSL_do_handshake(ssl_);
      broken_ = result != 1 && SSL_get_error(ssl_, result) == SSL_ERROR_SSL;
      ERR_clear_error();
    }
    if (!open()) return;
    if (!waiting_.empty()) {
      MR_ASSERT(SSL_write(ssl_, waiting_.data(), static_cast<int>(waiting_.size())) > 0);
      waiting_.clear();
    }
    if (ends_ && !told_end_) {
      told_end_ = true;
      SSL_shutdown(ssl_);
    }
    ERR_clear_error();
  }

  SSL* ssl_;
  std::string waiting_;
  bool ends_ = false;
  bool told_end_ = false;
  bool broken_ = false;
};

class OpenSslWorld final : public SimTls {
 public:
  explicit OpenSslWorld(std::uint64_t seed) : shared_(shared()), secure_(serve::make_secure()) {
    numbers() = io::sim::Random(seed);
    ServerOptions options;
    options.tls_listen = {"127.0.0.1:0"};
    options.tls_cert = shared_.certificate.cert.name();
    options.tls_key = shared_.certificate.key.name();
    std::vector<std::string> problems, warnings;
    secure_->load(options, 1, problems, warnings);
    MR_ASSERT(problems.empty());
  }
  std::unique_ptr<net::TransportFactory> make_factory() override { return secure_->make_factory(0); }
  io::sim::MakeSealer sealers() override { return make_record_sealer; }
  std::unique_ptr<TlsEnd> make_client(bool old) override {
    return std::make_unique<OpenSslEnd>(shared_.clients, old);
  }

 private:
  Shared& shared_;
  std::unique_ptr<serve::Secure> secure_;
};

}  // namespace

std::unique_ptr<SimTls> SimTls::make(std::uint64_t seed) { return std::make_unique<OpenSslWorld>(seed); }

}  // namespace millrace::test
