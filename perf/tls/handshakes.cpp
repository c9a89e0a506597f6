// handshakes.cpp: so many connections at a time over TLS 1.3, each with one request whose answer is checked, and
// then another connection in its place.
//
//   handshakes PORT SECONDS full|resumed CONNECTIONS      prints {"handshakes": N, "seconds": S}
//
// The client is not what is measured: the server's CPU time is divided by what it counts.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::string_view request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
constexpr std::string_view body = "Hello world!";

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "handshakes: %s\n", what);
  std::exit(1);
}

std::vector<SSL_SESSION*> tickets;  // TLS 1.3 wants each used once.

int keep_session(SSL*, SSL_SESSION* session) {
  tickets.push_back(session);
  return 1;
}

struct Connection {
  int descriptor = -1;
  SSL* ssl = nullptr;
  bool resumes = false;
  bool asked = false;
  std::string answer;
};

struct Load {
  SSL_CTX* context;
  std::uint16_t port;
  bool resumes;
  int epoll;
  std::uint64_t count = 0;

  void open(Connection& c) {
    c.descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(c.descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
        errno != EINPROGRESS)
      fail("cannot connect");
    c.ssl = SSL_new(context);
    SSL_set_fd(c.ssl, c.descriptor);
    c.resumes = resumes && !tickets.empty();
    if (c.resumes) {
      SSL_set_session(c.ssl, tickets.back());
      SSL_SESSION_free(tickets.back());
      tickets.pop_back();
    }
    c.asked = false;
    c.answer.clear();
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.ptr = &c}};
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, c.descriptor, &event) != 0) fail("cannot wait for a connection");
  }

  void go_on(Connection& c) {
    if (!c.asked) {
      const int done = SSL_connect(c.ssl);
      if (done != 1 && waits(c, done)) return;
      if (done != 1) fail("a handshake failed");
      if ((SSL_session_reused(c.ssl) == 1) != c.resumes)
        fail("a handshake was not of the kind that was asked for");
      if (SSL_write(c.ssl, request.data(), static_cast<int>(request.size())) <= 0)
        fail("a request was not sent");
      c.asked = true;
    }
    char part[4096];
    int size = 0;
    while ((size = SSL_read(c.ssl, part, sizeof part)) > 0)
      c.answer.append(part, static_cast<std::size_t>(size));
    if (waits(c, size)) return;
    if (!c.answer.starts_with("HTTP/1.1 200 OK\r\n") || !c.answer.ends_with(body)) fail("a wrong answer");
    SSL_shutdown(c.ssl);
    SSL_free(c.ssl);
    ::close(c.descriptor);
    if (c.resumes == resumes)
      ++count;  // The first ones are full, and count only where full ones are asked for.
    open(c);
  }

  static bool waits(const Connection& c, int done) {
    const int error = SSL_get_error(c.ssl, done);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) fail("usage: handshakes PORT SECONDS full|resumed CONNECTIONS");
  const double seconds = std::atof(argv[2]);
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  Load load{context, static_cast<std::uint16_t>(std::atoi(argv[1])), std::string_view(argv[3]) == "resumed",
            ::epoll_create1(EPOLL_CLOEXEC)};
  if (load.resumes) SSL_CTX_sess_set_new_cb(context, keep_session);
  std::vector<Connection> connections(static_cast<std::size_t>(std::atoi(argv[4])));
  for (Connection& connection : connections) load.open(connection);
  const auto start = std::chrono::steady_clock::now();
  double passed = 0;
  while (passed < seconds) {
    std::array<epoll_event, 64> events;
    const int ready = ::epoll_wait(load.epoll, events.data(), static_cast<int>(events.size()), 1000);
    for (int i = 0; i < ready; ++i)
      load.go_on(*static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr));
    passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  std::printf("{\"handshakes\": %llu, \"seconds\": %.3f}\n", static_cast<unsigned long long>(load.count),
              passed);
  return 0;
}
