#include <doctest/doctest.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "engine/net/listen_socket.hpp"

using namespace millrace;
using net::ListenAddress;

TEST_CASE("read_listen_address: what it takes, written back") {
  struct Case {
    const char* text;
    const char* back;
  };
  static constexpr Case cases[] = {
      {"127.0.0.1:8080", "127.0.0.1:8080"},
      {"[::1]:0", "[::1]:0"},
      {"localhost:80", "127.0.0.1:80"},
      {"*:65535", "0.0.0.0:65535"},
      {"unix:/tmp/a", "unix:/tmp/a"},
      {"unix:@name", "unix:@name"},
      {"fd:3", "fd:3"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    ListenAddress address;
    CHECK(net::read_listen_address(c.text, address) == "");
    CHECK(address.text() == c.back);
  }
}

TEST_CASE("read_listen_address: what it refuses, with a sentence") {
  const std::string long_path = "unix:/" + std::string(200, 'x');
  for (const std::string& text :
       {std::string("8080"), std::string("127.0.0.1"), std::string("127.0.0.1:"),
        std::string("127.0.0.1:65536"), std::string("127.0.0.1:8a"), std::string("256.0.0.1:1"),
        std::string("::1:80"), std::string("[::1:80"), std::string("example.org:80"), std::string("unix:"),
        std::string("fd:"), std::string("fd:-1"), std::string("fd:3x"), long_path}) {
    CAPTURE(text);
    ListenAddress address;
    const std::string wrong = net::read_listen_address(text, address);
    CHECK(wrong.find("'" + text + "'") == 0);
  }
}

TEST_CASE("a port that is in use is found out, also behind SO_REUSEPORT") {
  ListenAddress address;
  REQUIRE(net::read_listen_address("127.0.0.1:0", address).empty());
  CHECK_FALSE(net::check_free(address).failed());
  const Result<io::Descriptor> first = net::open_listen_socket(address, true, 16);
  REQUIRE(first.ok());
  CHECK(address.port() != 0);
  CHECK(net::check_free(address).os_errno == EADDRINUSE);
  CHECK(net::describe_listen_error(address, net::check_free(address)).find(" is in use") !=
        std::string::npos);
  ListenAddress same = address;
  const Result<io::Descriptor> second = net::open_listen_socket(same, true, 16);  // Another core.
  CHECK(second.ok());
  ::close(first.value());
  ::close(second.value());
  CHECK_FALSE(net::check_free(address).failed());
}

TEST_CASE("what the kernel takes for a peer that does not read has a bound") {
  ListenAddress address;
  REQUIRE(net::read_listen_address("127.0.0.1:0", address).empty());
  const Result<io::Descriptor> listener = net::open_listen_socket(address, false, 16);
  REQUIRE(listener.ok());
  const int peer = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int little = 4096;
  ::setsockopt(peer, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
  REQUIRE(::connect(peer, reinterpret_cast<const sockaddr*>(&address.storage), address.size) == 0);
  const int accepted = ::accept4(listener.value(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  REQUIRE(accepted >= 0);
  const std::string bytes(64 * 1024, 'x');
  std::size_t taken = 0;
  for (ssize_t sent = 0; (sent = ::send(accepted, bytes.data(), bytes.size(), 0)) > 0;) {
    taken += static_cast<std::size_t>(sent);
  }
  CHECK(errno == EAGAIN);
  CHECK(taken >= bytes.size());
  CHECK(taken <= 512 * 1024);  // Megabytes, without a bound.
  for (const int descriptor : {accepted, peer, listener.value()}) ::close(descriptor);
}

TEST_CASE("a unix socket's file is replaced only when nobody answers on it") {
  const std::string path = "/tmp/millrace-listen-" + std::to_string(::getpid());
  ListenAddress address;
  REQUIRE(net::read_listen_address("unix:" + path, address).empty());
  const Result<io::Descriptor> first = net::open_listen_socket(address, false, 16);
  REQUIRE(first.ok());
  CHECK(net::open_listen_socket(address, false, 16).error().os_errno == EADDRINUSE);
  ::close(first.value());  // The file stays, as after a kill.
  const Result<io::Descriptor> second = net::open_listen_socket(address, false, 16);
  CHECK(second.ok());
  ::close(second.value());
  ::unlink(path.c_str());
}

TEST_CASE("an inherited socket is taken where it listens for streams, and refused with a sentence else") {
  ListenAddress ours;
  REQUIRE(net::read_listen_address("127.0.0.1:0", ours).empty());
  const Result<io::Descriptor> opened = net::open_listen_socket(ours, false, 16);
  REQUIRE(opened.ok());
  const auto inherited = [](int descriptor) {
    ListenAddress address;
    REQUIRE(net::read_listen_address("fd:" + std::to_string(descriptor), address).empty());
    return address;
  };
  ListenAddress given = inherited(opened.value());
  CHECK_FALSE(net::check_free(given).failed());
  CHECK_FALSE(net::take_inherited_socket(given).failed());
  CHECK(given.text() == ours.text());
  ::close(opened.value());

  ListenAddress closed = inherited(opened.value());
  const Error error = net::take_inherited_socket(closed);
  CHECK(error.os_errno == EBADF);
  CHECK(net::describe_listen_error(closed, error).find("is not open") != std::string::npos);

  for (const int kind : {SOCK_STREAM, SOCK_DGRAM}) {  // Neither of them listens.
    const int descriptor = ::socket(AF_INET, kind | SOCK_CLOEXEC, 0);
    ListenAddress other = inherited(descriptor);
    const Error refused = net::take_inherited_socket(other);
    CHECK(refused.os_errno == EINVAL);
    CHECK(net::describe_listen_error(other, refused).find("no socket that listens") != std::string::npos);
    ::close(descriptor);
  }
  ListenAddress file = inherited(0);
  CHECK(net::take_inherited_socket(file).failed());
}
