// Goal: a whole server over TLS, embedded: what it counts. Method: real sockets, OpenSSL's client.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <millrace/millrace.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <thread>

#include "tests/unit/ext/tls_support.hpp"

namespace millrace::test {
namespace {

constexpr std::string_view last_request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

int connect_to(const std::string& address) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(::connect(descriptor, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  return descriptor;
}

/// Asks once; the session it can go on with, or null.
SSL_SESSION* ask(const std::string& address, SSL_SESSION* session) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* ssl = SSL_new(context);
  const int descriptor = connect_to(address);
  SSL_set_fd(ssl, descriptor);
  if (session != nullptr) SSL_set_session(ssl, session);
  REQUIRE(SSL_connect(ssl) == 1);
  CHECK(SSL_session_reused(ssl) == (session != nullptr ? 1 : 0));
  CHECK(SSL_write(ssl, last_request.data(), static_cast<int>(last_request.size())) > 0);
  std::string answer;
  char part[4096];
  for (int size = 0; (size = SSL_read(ssl, part, sizeof part)) > 0;)
    answer.append(part, static_cast<std::size_t>(size));
  CHECK(answer.ends_with("\r\n\r\nsecure"));
  SSL_SESSION* next = SSL_get1_session(ssl);
  SSL_shutdown(ssl);
  SSL_free(ssl);
  SSL_CTX_free(context);
  ::close(descriptor);
  return next;
}

template <class Condition>
bool eventually(Condition&& condition) {
  for (int i = 0; i < 5000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  return condition();
}

}  // namespace

TEST_CASE("server: stats() counts handshakes, those that were resumed, and those that failed") {
  const TestCertificate certificate("localhost");
  App app;
  app.get("/", [](Request& request) { return request.secure() ? "secure" : "plain"; });
  ServerOptions options = tls_options(certificate);
  options.listen.clear();
  options.cores = 2;
  options.pin = false;
  Server server(app, options);
  REQUIRE(server.start() == "");
  const std::string address = server.tls_addresses().front();
  SSL_SESSION* const session = ask(address, nullptr);
  SSL_SESSION* const again = ask(address, session);
  CHECK(eventually([&] { return server.stats().tls_handshakes == 2; }));
  CHECK(server.stats().tls_resumed == 1);
  CHECK(server.stats().tls_failures == 0);
  SSL_SESSION_free(session);
  SSL_SESSION_free(again);

  const int descriptor = connect_to(address);
  REQUIRE(::send(descriptor, "\x16\x03\x01\xff\xff", 5, 0) == 5);  // No record is that long.
  char alert[64];
  CHECK(::recv(descriptor, alert, sizeof alert, 0) > 0);
  ::close(descriptor);
  CHECK(eventually([&] { return server.stats().tls_failures == 1; }));
  CHECK(server.stats().tls_handshakes == 2);
  CHECK(server.reload_certificates() == "");
  SSL_SESSION_free(ask(address, nullptr));
  CHECK(eventually([&] { return server.stats().tls_handshakes == 3; }));
}

}  // namespace millrace::test
