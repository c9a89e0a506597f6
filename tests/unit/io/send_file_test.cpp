// send_file_test.cpp: how much of a large file the kernel is given for a peer that reads, and for one that does not.
#include "engine/io/send_file.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace millrace::io {
namespace {

constexpr std::uint64_t file_bytes = 16 << 20;

/// Two ends of a connection over loopback: one that sends as accepted connections do, one with a small window.
struct Ends {
  Ends() {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    const int unsent_bytes = 128 * 1024;  // As listen_socket has it (docs/decisions/0014).
    REQUIRE(::setsockopt(listener, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_bytes, sizeof unsent_bytes) == 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(listener, generic, size) == 0);
    REQUIRE(::listen(listener, 1) == 0);
    REQUIRE(::getsockname(listener, generic, &size) == 0);
    reader = ::socket(AF_INET, SOCK_STREAM, 0);
    const int window_bytes = 16 * 1024;
    REQUIRE(::setsockopt(reader, SOL_SOCKET, SO_RCVBUF, &window_bytes, sizeof window_bytes) == 0);
    REQUIRE(::connect(reader, generic, size) == 0);
    sender = ::accept(listener, nullptr, nullptr);
    REQUIRE(sender >= 0);
    ::close(listener);
    file.descriptor = ::memfd_create("send_file", MFD_CLOEXEC);
    REQUIRE(::ftruncate(file.descriptor, static_cast<off_t>(file_bytes)) == 0);
    file.size_bytes = file_bytes;
  }
  ~Ends() {
    for (const int descriptor : {reader, sender, file.descriptor}) ::close(descriptor);
  }

  /// Until the socket is full or the file is through; what the socket took.
  std::uint64_t fill() {
    std::uint64_t taken = 0;
    while (file.size_bytes != 0) {
      const int sent = send_file_now(sender, {}, file);
      if (sent == -EAGAIN) break;
      REQUIRE(sent > 0);
      file.offset += static_cast<std::uint64_t>(sent);
      file.size_bytes -= static_cast<std::uint64_t>(sent);
      taken += static_cast<std::uint64_t>(sent);
    }
    return taken;
  }

  int reader = -1;
  int sender = -1;
  FileSlice file;
};

TEST_CASE("send_file: a peer that does not read is given no more of a file than of other bytes") {
  Ends ends;
  CHECK(ends.fill() < file_piece_bytes);
  CHECK_FALSE(ends.file.unsent_raised);
}

TEST_CASE("send_file: a peer that reads is soon given pieces, and gets all of the file") {
  Ends ends;
  std::vector<char> room(256 * 1024);
  std::uint64_t read_bytes = 0;
  std::uint64_t most = 0;
  bool raised = false;
  while (read_bytes < file_bytes) {
    most = std::max(most, ends.fill());
    raised = raised || ends.file.unsent_raised;
    const ssize_t got = ::recv(ends.reader, room.data(), room.size(), 0);
    REQUIRE(got > 0);
    read_bytes += static_cast<std::uint64_t>(got);
  }
  CHECK(read_bytes == file_bytes);
  CHECK(raised);
  CHECK(most > file_piece_bytes);
  CHECK_FALSE(ends.file.unsent_raised);  // The last piece.
}

}  // namespace
}  // namespace millrace::io
