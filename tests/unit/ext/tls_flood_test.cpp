// Goal: a peer that sends records which carry nothing is cut, and what it gets for them is bounded: empty records,
// renegotiations, and changes of cipher that TLS 1.3 ignores. Method: records sealed by hand, as no library sends
// them; a whole core over the simulated network.
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>

#include "tests/unit/ext/tls_support.hpp"

namespace millrace::test {
namespace {

constexpr std::size_t flood_bytes = 1u << 20;
constexpr unsigned char handshake_type = 22, content_type = 23;

/// The client's side of TLS 1.2 with AES-128-GCM, by hand from the second sealed record on: RFC 5246 section 6.3,
/// RFC 5288 section 3.
class Sealer {
 public:
  explicit Sealer(SSL* ssl) {
    std::array<unsigned char, 48> master{};
    std::array<unsigned char, 64> randoms{};  // The server's, then the client's.
    SSL_SESSION_get_master_key(SSL_get0_session(ssl), master.data(), master.size());
    SSL_get_server_random(ssl, randoms.data(), 32);
    SSL_get_client_random(ssl, randoms.data() + 32, 32);
    char digest[] = "SHA256";
    char label[] = "key expansion";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master.data(), master.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, label, sizeof label - 1),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, randoms.data(), randoms.size()),
        OSSL_PARAM_construct_end()};
    EVP_KDF* kdf = EVP_KDF_fetch(nullptr, "TLS1-PRF", nullptr);
    EVP_KDF_CTX* context = EVP_KDF_CTX_new(kdf);
    REQUIRE(EVP_KDF_derive(context, block_.data(), block_.size(), parameters) == 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
  }

  std::string seal(unsigned char type, std::string_view plain) {
    std::array<unsigned char, 12>
        nonce{};  // Four bytes of the key block, then the number, which is sent too.
    std::copy_n(block_.begin() + 32, 4, nonce.begin());
    for (int i = 0; i < 8; ++i) nonce[11 - i] = static_cast<unsigned char>(number_ >> (8 * i));
    const std::size_t size = plain.size();
    std::array<unsigned char, 13> about{};
    std::copy_n(nonce.begin() + 4, 8, about.begin());
    const unsigned char tail[] = {type, 3, 3, static_cast<unsigned char>(size >> 8),
                                  static_cast<unsigned char>(size)};
    std::copy(std::begin(tail), std::end(tail), about.begin() + 8);
    ++number_;
    std::string sealed(size, '\0');
    std::array<unsigned char, 16> tag{};
    int made = 0;
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
    EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), nullptr, block_.data(), nonce.data());
    EVP_EncryptUpdate(context, nullptr, &made, about.data(), about.size());
    EVP_EncryptUpdate(context, reinterpret_cast<unsigned char*>(sealed.data()), &made,
                      reinterpret_cast<const unsigned char*>(plain.data()), static_cast<int>(size));
    EVP_EncryptFinal_ex(context, tag.data(), &made);
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, tag.size(), tag.data());
    EVP_CIPHER_CTX_free(context);
    const std::size_t whole = 8 + size + tag.size();
    std::string record = {static_cast<char>(type), 3, 3, static_cast<char>(whole >> 8),
                          static_cast<char>(whole)};
    record.append(nonce.begin() + 4, nonce.end());
    return record.append(sealed).append(tag.begin(), tag.end());
  }

 private:
  std::array<unsigned char, 40> block_{};  // Keys of both, then the four bytes of both.
  std::uint64_t number_ = 1;               // Finished was the first.
};

/// A hello as the handshake protocol has it, without its record.
std::string hello_of(TlsCore& core) {
  TlsClient other(core, TLS1_2_VERSION);
  return other.flight().substr(5);
}

/// Sends records until the connection ends; how many bytes that took, and how many came back.
struct Flood {
  std::size_t sent = 0, received = 0;
};
template <class Next>
Flood flood(TlsCore& core, Client& wire, Next&& next) {
  Flood so_far;
  while (!wire.ended() && !wire.eof() && so_far.sent < flood_bytes) {
    const std::string bytes = next();
    so_far.sent += bytes.size();
    wire.write(bytes);
    core.one.run(ns_per_ms);
    so_far.received += wire.take().size();
  }
  return so_far;
}

TEST_CASE("tls: records sealed by hand are read: the floods below are what they say") {
  TlsFixture fixture;
  TlsCore core(*fixture.secure);
  TlsClient client(core, TLS1_2_VERSION);
  client.talk();
  REQUIRE(std::string(SSL_get_cipher(client.ssl)) == "ECDHE-ECDSA-AES128-GCM-SHA256");
  Sealer sealer(client.ssl);
  client.wire.write(sealer.seal(content_type, ""));
  client.wire.write(sealer.seal(content_type, get("/n/by-hand")));
  client.talk();
  CHECK(client.content.ends_with("/n/by-hand"));
  CHECK(core.failures() == 0);
}

TEST_CASE("tls: a flood of empty records, or of renegotiations, is cut") {
  TlsFixture fixture;
  struct Case {
    unsigned char type;
    std::string plain;
    std::size_t sent_max;
  };
  TlsCore core(*fixture.secure);
  const std::string hello = hello_of(core);
  core.one.run(ns_per_ms);
  const Case cases[] = {{content_type, "", 64 * 1024}, {handshake_type, hello, 192 * 1024}};
  for (const Case& c : cases) {
    CAPTURE(int{c.type});
    const std::uint64_t failed = core.failures();
    TlsClient client(core, TLS1_2_VERSION);
    client.talk();
    Sealer sealer(client.ssl);
    const Flood done = flood(core, client.wire, [&] { return sealer.seal(c.type, c.plain); });
    CHECK(done.sent <= c.sent_max);
    CHECK(done.received <= done.sent);
    CHECK(core.failures() == failed + 1);
  }
}

TEST_CASE("tls: a flood of cipher changes in the middle of a handshake is cut") {
  TlsFixture fixture;
  TlsCore core(*fixture.secure);
  TlsClient client(core);
  client.wire.write(client.flight());
  core.one.run(ns_per_ms);
  const std::string change("\x14\x03\x03\x00\x01\x01", 6);  // RFC 8446 section 5: to be dropped.
  std::string many;
  for (int i = 0; i < 100; ++i) many += change;
  const Flood done = flood(core, client.wire, [&] { return many; });
  CHECK(done.sent <= 192 * 1024);
  CHECK(done.received < 4096);
  CHECK(core.failures() == 1);
}

TEST_CASE("tls: half-closed in every phase, a connection ends and nothing is left") {
  TlsFixture fixture;
  fixture.options.tls_handshake_ms = 50;
  REQUIRE(fixture.load().empty());
  for (const bool shaken : {false, true}) {
    for (const bool asked : {false, true}) {
      CAPTURE(shaken);
      CAPTURE(asked);
      TlsCore core(*fixture.secure);
      TlsClient client(core);
      if (shaken) client.talk();
      if (asked) {
        if (shaken) client.write(get("/n/last"));
        client.wire.write(client.flight());
      }
      client.wire.half_close();
      core.one.run(ns_per_ms);
      client.feed();
      CHECK(client.content.ends_with("/n/last") == (shaken && asked));
      core.one.run(100 * ns_per_ms);
      CHECK(core.one.core.connections() == 0);
    }
  }
}

}  // namespace
}  // namespace millrace::test
