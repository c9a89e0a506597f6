// Goal: whatever way the bytes are cut, and however a peer leaves or misbehaves, TLS gives the protocol
// what was sent, or nothing. Method: OpenSSL's client and a whole core over the simulated network.
#include <algorithm>

#include "tests/unit/ext/tls_support.hpp"

namespace millrace::test {
namespace {

constexpr int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

TEST_CASE("tls: requests, pipelined, from coroutines and from sources") {
  TlsFixture fixture;
  for (const int version : versions) {
    TlsCore core(*fixture.secure);
    TlsClient client(core, version);
    client.talk();
    client.write(get("/n/a") + get("/later/20/b") + get("/n/c"));
    client.talk();
    core.one.run(30 * ns_per_ms);
    client.talk();
    CHECK(count(client.content, "HTTP/1.1 200") == 3);
    CHECK(client.content.ends_with("/n/c"));
    client.content.clear();
    client.write(get("/source/300000"));
    client.talk();
    CHECK(client.content.ends_with(letters(300'000)));
    client.content.clear();
    client.write("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + letters(100'000));
    client.talk();
    CHECK(client.content.ends_with(letters(100'000)));
    CHECK(core.handshakes() == 1);
    CHECK(core.failures() == 0);
  }
}

TEST_CASE("tls: every flight cut in two at every byte") {
  TlsFixture fixture;
  for (const int version : versions) {
    std::size_t longest = 1;
    for (std::size_t cut = 0; cut < longest; ++cut) {
      CAPTURE(cut);
      TlsCore core(*fixture.secure);
      TlsClient client(core, version);
      const auto send_cut = [&] {
        const std::string bytes = client.flight();
        longest = std::max(longest, bytes.size());
        const std::size_t first = std::min(cut, bytes.size());
        if (first != 0) client.wire.write(bytes.substr(0, first));
        core.one.run(ns_per_ms);
        if (first != bytes.size()) client.wire.write(bytes.substr(first));
        core.one.run(ns_per_ms);
        client.feed();
      };
      send_cut();
      send_cut();
      client.write(get("/close/x"));
      send_cut();
      core.one.run(ns_per_ms);
      client.feed();
      REQUIRE(client.content.ends_with("/close/x"));
      REQUIRE(client.closed());
    }
    CHECK(longest > 200);
  }
}

TEST_CASE("tls: a peer that ends, or resets, at every byte of its flights leaves nothing behind") {
  TlsFixture fixture;
  TlsCore core(*fixture.secure);
  for (const int version : versions) {
    for (const bool resets : {false, true}) {
      bool whole = false;
      std::size_t cut = 0;
      for (; !whole; ++cut) {
        TlsClient client(core, version);
        std::size_t left = cut;
        for (int flight = 0; flight < 3; ++flight) {
          if (flight == 2) client.write(get("/later/5/x"));
          const std::string bytes = client.flight();
          const std::size_t size = std::min(left, bytes.size());
          if (size != 0) client.wire.write(bytes.substr(0, size));
          left -= size;
          core.one.run(ns_per_ms);
          client.feed();
          whole = flight == 2 && left != 0;
          if (size < bytes.size()) break;
        }
        if (resets) {
          client.wire.reset();
        } else {
          client.wire.half_close();
        }
        core.one.run(ns_per_ms);
      }
      CHECK(cut > 300);
    }
  }
  core.one.run(5 * ns_per_s);
  CHECK(core.one.core.connections() == 0);
}

TEST_CASE("tls: half-closed by close_notify, the reply still comes, and then the server's close_notify") {
  TlsFixture fixture;
  for (const int version : versions) {
    TlsCore core(*fixture.secure);
    TlsClient client(core, version);
    client.talk();
    client.write(get("/later/20/x"));
    SSL_shutdown(client.ssl);
    client.talk();
    CHECK_FALSE(client.closed());
    core.one.run(30 * ns_per_ms);
    client.talk();
    // In TLS 1.2 whoever closes reads no more (RFC 5246 section 7.2.1), and OpenSSL's client holds to it.
    if (version == TLS1_3_VERSION) CHECK(client.content.ends_with("/later/20/x"));
    CHECK(client.closed());
    CHECK(client.wire.eof());
  }
}

TEST_CASE("tls: an idle connection that drains, or times out, gets close_notify") {
  TlsFixture fixture;
  serve::CoreOptions options = small_options();
  options.http.keepalive_ns = 100 * ns_per_ms;
  options.linger_ns = 10 * ns_per_ms;
  TlsCore core(*fixture.secure, options);
  TlsClient idle(core);
  idle.talk();
  CHECK_FALSE(idle.closed());
  core.one.run(200 * ns_per_ms);
  idle.feed();
  CHECK(idle.closed());
  TlsClient drained(core);
  drained.talk();
  core.one.core.request_stop(ns_per_s);
  core.one.run(ns_per_ms);
  drained.feed();
  CHECK(drained.closed());
}

TEST_CASE("tls: a handshake has its own deadline") {
  TlsFixture fixture;
  fixture.options.tls_handshake_ms = 50;
  REQUIRE(fixture.load().empty());
  TlsCore core(*fixture.secure);
  TlsClient begun(core);
  begun.wire.write(begun.flight());
  Client silent = core.connect();
  core.one.run(40 * ns_per_ms);
  CHECK(core.one.core.connections() == 2);
  core.one.run(20 * ns_per_ms);
  CHECK(core.one.core.connections() == 0);
  CHECK(silent.ended());
  CHECK(core.failures() == 2);
}

TEST_CASE("tls: key updates are answered, until nothing else comes") {
  TlsFixture fixture;
  TlsCore core(*fixture.secure);
  TlsClient client(core);
  client.talk();
  for (int i = 0; i < 100; ++i) {
    REQUIRE(SSL_key_update(client.ssl, SSL_KEY_UPDATE_REQUESTED) == 1);
    client.write(get("/n/x"));
    client.talk();
  }
  CHECK(count(client.content, "HTTP/1.1 200") == 100);
  std::size_t sent = 0;
  while (!client.closed() && !client.wire.ended() && sent < 1u << 20) {
    if (SSL_key_update(client.ssl, SSL_KEY_UPDATE_NOT_REQUESTED) != 1 || SSL_do_handshake(client.ssl) != 1)
      break;
    const std::string bytes = client.flight();
    sent += bytes.size();
    client.wire.write(bytes);
    core.one.run(ns_per_ms);
    client.feed();
  }
  CHECK(core.failures() == 1);
  CHECK(sent > 100'000);
  CHECK(sent < 200'000);
  CHECK(core.one.core.connections() == 0);
}

TEST_CASE("tls: who does not read holds up himself alone, in bounded memory") {
  TlsFixture fixture;
  io::sim::FaultPlan plan;
  plan.send_buffer_bytes = 4096;
  TlsCore core(*fixture.secure, small_options(), plan);
  TlsClient client(core);
  client.talk();
  client.wire.set_reading(false);
  client.write(get("/source/3000000"));
  client.wire.write(client.flight());
  core.one.run(20 * ns_per_ms);
  CHECK(core.one.core.pool().bytes_used() < 1u << 20);
  TlsClient other(core);
  other.talk();
  other.write(get("/n/other"));
  other.talk();
  CHECK(other.content.ends_with("/n/other"));
  client.wire.set_reading(true);
  for (int i = 0; i < 2000 && client.content.size() < 3'000'000; ++i) {
    core.one.run(ns_per_ms);
    client.feed();
  }
  CHECK(client.content.ends_with(letters(3'000'000)));
}

TEST_CASE("tls: faults of the kernel and the network change no byte") {
  TlsFixture fixture;
  io::sim::FaultPlan plan;
  plan.short_receive = plan.short_send = plan.split_write = plan.late_completion = plan.no_buffers = 300;
  plan.multishot_end = plan.partial_wait = plan.late_cancel = 300;
  plan.latency_max_ns = ns_per_ms;
  for (const int version : versions) {
    TlsCore core(*fixture.secure, small_options(), plan);
    for (int round = 0; round < 40; ++round) {
      TlsClient client(core, version);
      std::string want;
      for (int i = 0; i < 200 && SSL_is_init_finished(client.ssl) == 0; ++i) client.talk();
      client.write(get("/n/a") + get("/source/70000") + get("/later/3/b") + get("/close/c"));
      for (int i = 0; i < 200 && !client.closed(); ++i) client.talk();
      REQUIRE(client.closed());
      REQUIRE(count(client.content, "HTTP/1.1 200") == 4);
      REQUIRE(client.content.find(letters(70'000)) != std::string::npos);
      REQUIRE(client.content.ends_with("/close/c"));
    }
    CHECK(core.failures() == 0);
    CHECK(core.one.world.faults().short_sends > 10);
  }
}

TEST_CASE("tls: a session is resumed on another core, and after a reload") {
  TlsFixture fixture;
  for (const int version : versions) {
    TlsCore first(*fixture.secure);
    TlsCore second(*fixture.secure, small_options(), {}, 1);
    TlsClient client(first, version);
    client.talk();
    client.write(get("/n/x"));
    client.talk();
    SSL_SESSION* session = SSL_get1_session(client.ssl);
    CHECK(first.resumed() == 0);
    {
      TlsClient again(second, version, session);
      again.talk();
      CHECK(SSL_session_reused(again.ssl) == 1);
      CHECK(second.resumed() == 1);
      // TLS 1.3 wants each ticket used once (RFC 8446 appendix C.4): there is a new one.
      const SSL_SESSION* now = SSL_get0_session(again.ssl);
      CHECK((now != session) == (version == TLS1_3_VERSION));
    }
    REQUIRE(fixture.load().empty());
    {
      TlsClient again(first, version, session);
      again.talk();
      CHECK(SSL_session_reused(again.ssl) == 1);
    }
    // Under another rule for clients the old session counts for nothing.
    ServerOptions stricter = fixture.options;
    stricter.tls_client_auth = "optional";
    stricter.tls_client_ca = fixture.certificate.cert.name();
    std::vector<std::string> problems;
    std::vector<std::string> warnings;
    fixture.secure->load(stricter, TlsFixture::cores, problems, warnings);
    REQUIRE(problems.empty());
    {
      TlsClient again(first, version, session);
      again.talk();
      CHECK(SSL_session_reused(again.ssl) == 0);
    }
    REQUIRE(fixture.load().empty());
    SSL_SESSION_free(session);
  }
}

TEST_CASE("tls: a reload serves new connections by the new certificate, and open ones go on") {
  TlsFixture fixture;
  TlsCore core(*fixture.secure);
  TlsClient old(core);
  TlsClient under_way(core);
  old.talk();
  under_way.wire.write(under_way.flight());
  core.one.run(ns_per_ms);
  const TestCertificate renewed("renewed");
  fixture.options.tls_cert = renewed.cert.name();
  fixture.options.tls_key = renewed.key.name();
  REQUIRE(fixture.load().empty());
  TlsClient fresh(core);
  fresh.talk();
  CHECK(fresh.peer_name() == "renewed");
  under_way.talk();
  CHECK(under_way.peer_name() == "localhost");
  old.write(get("/n/old"));
  old.talk();
  CHECK(old.content.ends_with("/n/old"));

  fixture.options.tls_key = fixture.certificate.key.name();  // Not of that certificate.
  const std::vector<std::string> problems = fixture.load();
  REQUIRE(problems.size() == 1);
  CHECK(problems.front().find("does not belong to the certificate in") != std::string::npos);
  TlsClient after(core);
  after.talk();
  CHECK(after.peer_name() == "renewed");
}

TEST_CASE("tls: without memory a connection ends, and the core goes on") {
  TlsFixture fixture;
  serve::CoreOptions options = small_options();
  options.memory_bytes_max = 64 * 1024;
  TlsCore core(*fixture.secure, options);
  for (int i = 0; i < 20; ++i) {
    TlsClient client(core);
    client.talk();
    client.write(get("/source/2000000"));
    client.talk();
    CHECK(client.wire.ended());
  }
  TlsClient small(core);
  small.talk();
  small.write(get("/n/small"));
  small.talk();
  CHECK(small.content.ends_with("/n/small"));
}

TEST_CASE("tls: connections past the maximum are closed") {
  TlsFixture fixture;
  serve::CoreOptions options = small_options();
  options.connections_max = 2;
  TlsCore core(*fixture.secure, options);
  Client clients[] = {core.connect(), core.connect(), core.connect(), core.connect()};
  core.one.run(10 * ns_per_ms);
  CHECK(core.one.core.connections() <= 2);
  const auto ended = std::count_if(std::begin(clients), std::end(clients),
                                   [](const Client& client) { return client.eof() || client.ended(); });
  CHECK(ended + core.one.core.connections() <= 4);
}

}  // namespace

TEST_CASE("tls: a certificate that is not valid yet is warned of") {
  const TestCertificate later("localhost", 86'400);
  const ServerOptions options = tls_options(later);
  std::vector<std::string> problems;
  std::vector<std::string> warnings;
  serve::make_secure()->load(options, 1, problems, warnings);
  CHECK(problems.empty());
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("is not valid yet, and clients will refuse it: check the clock") !=
        std::string::npos);
}

}  // namespace millrace::test
