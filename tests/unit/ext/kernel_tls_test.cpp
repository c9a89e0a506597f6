// Goal: where the kernel has TLS, files leave in its records, which go on where OpenSSL's stopped, and
// whatever goes wrong meanwhile ends the connection and nothing else. Method: OpenSSL's client and a whole core
// over the simulated network, whose kernel seals by tests/support/record_sealer.cpp.
#include <linux/tls.h>

#include <set>

#include "engine/ext/tls/send_keys.hpp"
#include "tests/support/record_sealer.hpp"
#include "tests/unit/ext/tls_support.hpp"

namespace millrace::test {
namespace {

constexpr const char* ciphers[] = {"TLS_AES_128_GCM_SHA256",        "TLS_AES_256_GCM_SHA384",
                                   "TLS_CHACHA20_POLY1305_SHA256",  "ECDHE-ECDSA-AES128-GCM-SHA256",
                                   "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"};
constexpr const char* old_cipher = ciphers[3];

/// A core that serves files on a kernel with TLS, and a client of one cipher.
struct KernelCore : TlsCore {
  explicit KernelCore(TlsFixture& fixture, std::uint64_t seed = 7, const io::sim::FaultPlan& plan = {})
      : TlsCore(*fixture.secure, small_options(), plan, 0, seed) {
    one.world.backend().set_sealers(make_record_sealer);
  }
  std::uint64_t taken_over() const { return factory->counters().kernel; }
};

struct KernelClient : TlsClient {
  explicit KernelClient(KernelCore& core, const std::string& cipher = ciphers[0])
      : TlsClient(core, cipher.starts_with("TLS_") ? TLS1_3_VERSION : TLS1_2_VERSION), world(core.one) {
    const bool set = cipher.starts_with("TLS_") ? SSL_set_ciphersuites(ssl, cipher.c_str()) == 1
                                                : SSL_set_cipher_list(ssl, cipher.c_str()) == 1;
    REQUIRE(set);
    talk();
  }
  /// All that comes until nothing came for 20 ms.
  std::string ask(const std::string& requests) {
    content.clear();
    write(requests);
    std::size_t before = 1;
    while (before != content.size()) {
      before = content.size();
      talk();
      world.run(20 * ns_per_ms);
      talk();
    }
    return content;
  }
  OneCore& world;
};

std::string whole_file() { return letters(file_bytes); }
constexpr const char* the_file = "/file/0-300000";

TEST_CASE("kernel tls: files leave whole and in order among other replies, by any cipher and network") {
  TlsFixture fixture;
  for (const char* cipher : ciphers) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      CAPTURE(cipher);
      CAPTURE(seed);
      io::sim::FaultPlan plan;
      plan.short_send = seed % 3 == 0 ? 300 : 0;
      plan.late_completion = seed % 2 == 0 ? 300 : 0;
      KernelCore core(fixture, seed, plan);
      KernelClient client(core, cipher);
      REQUIRE(client.ask(get("/n/before")).ends_with("/n/before"));
      CHECK(core.taken_over() == 0);
      const std::string got = client.ask(get("/n/a") + get(the_file) + get("/later/3/b") +
                                         get("/file/1000-70000") + get("/source/5000") + get("/n/c"));
      CHECK(count(got, "HTTP/1.1 200") == 6);
      CHECK(got.find("/n/aHTTP") != got.npos);
      CHECK(got.find("\r\n\r\n" + whole_file() + "HTTP/1.1 200") != got.npos);
      CHECK(got.find("/later/3/bHTTP") != got.npos);
      CHECK(got.find(whole_file().substr(1000, 70'000) + "HTTP/1.1 200") != got.npos);
      CHECK(got.ends_with("/n/c"));
      CHECK(core.taken_over() == 1);
      CHECK(core.one.files.reads == 0);
      CHECK(client.ask(get("/close/x")).ends_with("/close/x"));
      CHECK(client.closed());
      CHECK(core.failures() == 0);
    }
  }
}

TEST_CASE("kernel tls: no nonce of AES-GCM in TLS 1.2 is used twice") {
  TlsFixture fixture;
  KernelCore core(fixture);
  KernelClient client(core, old_cipher);
  client.ask(get("/n/a"));
  client.ask(get("/n/b") + get(the_file) + get("/n/c"));
  std::set<std::string> nonces;
  std::size_t sealed = 0;
  std::string last;
  for (std::size_t at = 0; at < client.seen.size();) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(client.seen[at + i]); };
    const std::size_t size = byte(3) * 256u + byte(4);
    const bool finished = sealed == 0 && byte(0) == 22 && at != 0 && client.seen[at - 6] == 20;
    if (byte(0) == 23 || finished) {
      last = client.seen.substr(at + 5, 8);
      ++sealed;
      nonces.insert(last);
    }
    at += 5 + size;
  }
  CHECK(sealed > 20);
  CHECK(nonces.size() == sealed);
  CHECK(*nonces.rbegin() == last);  // They only rise.
}

TEST_CASE("kernel tls: keys of a cipher that is not known are not kept") {
  tls12_crypto_info_aes_ccm_128 info{};
  info.info = {.version = TLS_1_2_VERSION, .cipher_type = TLS_CIPHER_AES_CCM_128};
  tls::SendKeys keys;
  keys.keep(&info);
  CHECK_FALSE(keys.known());
}

TEST_CASE("kernel tls: a close waits for a slow reader, and not for one who reads no more") {
  TlsFixture fixture;
  KernelCore core(fixture);
  KernelClient client(core);
  client.wire.set_reading(false);
  client.write(get("/file/0-40000", "Connection: close\r\n"));
  client.wire.write(client.flight());
  SUBCASE("it reads in the end") {
    core.one.run(5 * ns_per_s);
    CHECK(core.one.core.connections() == 1);
    client.wire.set_reading(true);
    client.talk();
    CHECK(client.content.ends_with(letters(40'000)));
    CHECK(client.closed());
  }
  SUBCASE("it never does") {
    core.one.run(100 * ns_per_s);
    CHECK(core.one.core.connections() == 0);
    CHECK(client.wire.was_reset());
  }
}

TEST_CASE("kernel tls: without a file nothing is taken over") {
  TlsFixture fixture;
  KernelCore core(fixture);
  KernelClient client(core);
  CHECK(client.ask(get("/source/300000")).ends_with(letters(300'000)));
  CHECK(client.ask(get("/close/x")).ends_with("/close/x"));
  CHECK(client.closed());
  CHECK(core.taken_over() == 0);
}

TEST_CASE("kernel tls: where it is switched off, files are read") {
  TlsFixture fixture;
  fixture.options.tls_kernel = false;
  REQUIRE(fixture.load().empty());
  KernelCore core(fixture);
  KernelClient client(core);
  CHECK(client.ask(get(the_file)).ends_with(whole_file()));
  CHECK(core.taken_over() == 0);
  CHECK(core.one.files.reads != 0);
}

TEST_CASE("kernel tls: a connection that the kernel does not take, because its peer has ended, is served") {
  TlsFixture fixture;
  KernelCore core(fixture);
  KernelClient client(core);
  client.write(get(the_file));
  client.wire.write(client.flight());
  client.wire.half_close();
  client.talk();
  CHECK(client.content.ends_with(whole_file()));
  CHECK(core.taken_over() == 0);
  CHECK(core.one.files.reads != 0);
}

TEST_CASE("kernel tls: keys that the kernel refuses end the connection") {
  TlsFixture fixture;
  KernelCore core(fixture);
  core.one.world.backend().set_sealers([](std::span<const char>) { return nullptr; });
  KernelClient client(core);
  CHECK(client.ask(get("/n/a") + get(the_file)).empty());
  CHECK(client.wire.was_reset());
  CHECK(core.one.core.connections() == 0);
}

TEST_CASE("kernel tls: new keys of the client") {
  TlsFixture fixture;
  KernelCore core(fixture);
  KernelClient client(core);
  SUBCASE("before: ours change too, and are not given away") {
    SSL_key_update(client.ssl, SSL_KEY_UPDATE_REQUESTED);
    CHECK(client.ask(get(the_file)).ends_with(whole_file()));
    CHECK(core.taken_over() == 0);
    CHECK(client.ask(get("/n/a")).ends_with("/n/a"));
  }
  SUBCASE("behind, for itself alone") {
    CHECK(client.ask(get(the_file)).ends_with(whole_file()));
    SSL_key_update(client.ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
    CHECK(client.ask(get("/n/a") + get(the_file)).ends_with(whole_file()));
    CHECK(core.taken_over() == 1);
  }
  SUBCASE("behind, for both: the kernel keeps its own, so this is the end") {
    CHECK(client.ask(get(the_file)).ends_with(whole_file()));
    SSL_key_update(client.ssl, SSL_KEY_UPDATE_REQUESTED);
    CHECK(client.ask(get("/n/a")).empty());
    core.one.run(ns_per_s);
    CHECK(core.one.core.connections() == 0);
  }
}

TEST_CASE("kernel tls: a broken record ends the connection") {
  TlsFixture fixture;
  KernelCore core(fixture);
  KernelClient client(core);
  CHECK(client.ask(get(the_file)).ends_with(whole_file()));
  client.write(get("/n/a"));
  std::string bytes = client.flight();
  bytes.back() ^= 1;
  client.wire.write(bytes);
  client.talk();
  CHECK(client.content.ends_with(whole_file()));
  CHECK(core.failures() == 1);
  CHECK(core.one.core.connections() == 0);
}

TEST_CASE("kernel tls: a client that leaves in the middle gives everything back") {
  TlsFixture fixture;
  for (const bool reset : {true, false}) {
    KernelCore core(fixture);
    KernelClient client(core);
    client.wire.set_reading(false);
    client.write(get(the_file) + get(the_file));
    client.wire.write(client.flight());
    core.one.run(50 * ns_per_ms);
    CHECK(core.taken_over() == 1);
    CHECK(core.one.core.connections() == 1);
    reset ? client.wire.reset() : client.wire.close();
    core.one.run_until([&] { return core.one.core.connections() == 0; });
  }
}

}  // namespace
}  // namespace millrace::test
