// handshakes.cpp: one connection after the other over TLS 1.3, each with one request whose answer is checked.
//
//   handshakes PORT SECONDS full|resumed      prints {"handshakes": N, "seconds": S}
//
// The client is not what is measured: the server's CPU time is divided by what it counts.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

constexpr std::string_view request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
constexpr std::string_view body = "Hello world!";

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "handshakes: %s\n", what);
  std::exit(1);
}

int connect_to(std::uint16_t port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    fail("cannot connect");
  return descriptor;
}

SSL_SESSION* latest = nullptr;  // The newest ticket: TLS 1.3 wants each used once.

int keep_session(SSL*, SSL_SESSION* session) {
  SSL_SESSION_free(latest);
  latest = session;
  return 1;
}

void one_connection(SSL_CTX* context, std::uint16_t port, bool resumes) {
  const int descriptor = connect_to(port);
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, descriptor);
  const bool may_resume = resumes && latest != nullptr;
  if (may_resume) SSL_set_session(ssl, latest);
  if (SSL_connect(ssl) != 1) fail("a handshake failed");
  if ((SSL_session_reused(ssl) == 1) != may_resume)
    fail("a handshake was not of the kind that was asked for");
  if (SSL_write(ssl, request.data(), static_cast<int>(request.size())) <= 0) fail("a request was not sent");
  std::string answer;
  char part[4096];
  int size = 0;
  while ((size = SSL_read(ssl, part, sizeof part)) > 0) answer.append(part, static_cast<std::size_t>(size));
  if (!answer.starts_with("HTTP/1.1 200 OK\r\n") || !answer.ends_with(body)) fail("a wrong answer");
  SSL_shutdown(ssl);
  SSL_free(ssl);
  ::close(descriptor);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) fail("usage: handshakes PORT SECONDS full|resumed");
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  const double seconds = std::atof(argv[2]);
  const bool resumes = std::string_view(argv[3]) == "resumed";
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, keep_session);
  one_connection(context, port, false);  // The first one is full, and not counted.
  const auto start = std::chrono::steady_clock::now();
  std::uint64_t count = 0;
  double passed = 0;
  while (passed < seconds) {
    one_connection(context, port, resumes);
    ++count;
    passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  std::printf("{\"handshakes\": %llu, \"seconds\": %.3f}\n", static_cast<unsigned long long>(count), passed);
  SSL_SESSION_free(latest);
  SSL_CTX_free(context);
  return 0;
}
