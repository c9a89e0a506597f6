// websocket.cpp: WebSockets that send a message, wait for its echo, and send the next; then one line of JSON. Not
// part of the engine, and shares no code with it.
//
//   websocket_load --port N [--path /ws] [--connections 100] [--bytes 64] [--seconds 2]
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Options {
  unsigned port = 0;
  std::string path = "/ws";
  unsigned connections = 100;
  std::size_t bytes = 64;
  double seconds = 2;
};

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "websocket_load: %s\n", what.c_str());
  std::exit(1);
}

Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const char* value = argv[i + 1];
    if (name == "--port") {
      options.port = static_cast<unsigned>(std::atoi(value));
    } else if (name == "--path") {
      options.path = value;
    } else if (name == "--connections") {
      options.connections = static_cast<unsigned>(std::atoi(value));
    } else if (name == "--bytes") {
      options.bytes = static_cast<std::size_t>(std::atoi(value));
    } else if (name == "--seconds") {
      options.seconds = std::atof(value);
    } else {
      fail("unknown flag " + std::string(name));
    }
  }
  if (options.port == 0 || options.bytes > 125) fail("--port N is needed, and --bytes of 125 at most");
  return options;
}

int connect_to(const Options& options) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(options.port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    fail("cannot connect");
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const std::string request = "GET " + options.path +
                              " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(options.port) +
                              "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  if (::send(fd, request.data(), request.size(), 0) != static_cast<ssize_t>(request.size()))
    fail("cannot send");
  return fd;
}

void await_opening(int fd) {
  std::string answer;
  while (!answer.ends_with("\r\n\r\n")) {
    char byte;
    if (::recv(fd, &byte, 1, 0) != 1) fail("closed within the handshake: " + answer);
    answer += byte;
  }
  if (!answer.starts_with("HTTP/1.1 101 ")) fail("no WebSocket: " + answer);
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  const std::string payload(options.bytes, 'm');
  const char mask[4] = {'\x12', '\x34', '\x56', '\x78'};
  std::string sent{'\x81', static_cast<char>(0x80 | options.bytes)};
  sent.append(mask, 4);
  for (std::size_t i = 0; i < payload.size(); ++i) sent += static_cast<char>(payload[i] ^ mask[i % 4]);
  const std::string wanted = std::string{'\x81', static_cast<char>(options.bytes)} + payload;

  struct Peer {
    int fd;
    std::size_t got;
  };
  std::vector<Peer> peers;
  const int epoll = ::epoll_create1(0);
  for (unsigned i = 0; i < options.connections; ++i) peers.push_back({connect_to(options), 0});
  for (const Peer& peer : peers) await_opening(peer.fd);
  for (unsigned i = 0; i < options.connections; ++i) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = i;
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, peers[i].fd, &event);
  }
  const auto send_one = [&](int fd) {
    if (::send(fd, sent.data(), sent.size(), 0) != static_cast<ssize_t>(sent.size())) fail("a short send");
  };
  using Clock = std::chrono::steady_clock;
  rusage before{};
  ::getrusage(RUSAGE_SELF, &before);
  const auto begin = Clock::now();
  const auto end = begin + std::chrono::duration<double>(options.seconds);
  for (const Peer& peer : peers) send_one(peer.fd);
  std::uint64_t messages = 0;
  std::vector<epoll_event> events(512);
  char buffer[4096];
  while (Clock::now() < end) {
    const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 10'000);
    if (count <= 0) fail("no echo for ten seconds");
    for (int i = 0; i < count; ++i) {
      Peer& peer = peers[events[static_cast<std::size_t>(i)].data.u32];
      const ssize_t got = ::recv(peer.fd, buffer, sizeof buffer, 0);
      if (got <= 0) fail("closed by the server");
      const std::size_t size = static_cast<std::size_t>(got);
      if (peer.got + size > wanted.size() || std::memcmp(buffer, wanted.data() + peer.got, size) != 0) {
        fail("a wrong echo");
      }
      peer.got += size;
      if (peer.got != wanted.size()) continue;
      peer.got = 0;
      ++messages;
      send_one(peer.fd);
    }
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto between = [](const timeval& from, const timeval& to) {
    return static_cast<double>(to.tv_sec - from.tv_sec) +
           static_cast<double>(to.tv_usec - from.tv_usec) / 1e6;
  };
  std::printf("{\"requests\": %llu, \"seconds\": %.6f, \"user_seconds\": %.6f, \"system_seconds\": %.6f}\n",
              static_cast<unsigned long long>(messages), seconds, between(before.ru_utime, used.ru_utime),
              between(before.ru_stime, used.ru_stime));
}
