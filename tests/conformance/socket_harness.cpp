#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "engine/io/epoll/epoll_backend.hpp"
#include "engine/io/uring/uring_backend.hpp"
#include "tests/conformance/harness.hpp"

namespace millrace::conformance {
namespace {

class SocketPeer final : public Peer {
 public:
  explicit SocketPeer(int fd) : fd_(fd) {}
  ~SocketPeer() override { ::close(fd_); }

  // What the cases write fits in the sockets' buffers, so nothing has to be kept for later.
  void write(std::string_view bytes) override {
    REQUIRE(::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  void half_close() override { ::shutdown(fd_, SHUT_WR); }
  void reset() override {
    // Connecting to "no address" resets the connection and keeps the descriptor.
    const sockaddr nowhere{.sa_family = AF_UNSPEC, .sa_data = {}};
    REQUIRE(::connect(fd_, &nowhere, sizeof nowhere) == 0);
    was_reset_ = true;
  }
  void set_reading(bool reads) override { reads_ = reads; }
  const std::string& received() override {
    read();
    return received_;
  }
  bool eof() override {
    read();
    return eof_;
  }
  bool was_reset() override {
    read();
    return was_reset_;
  }

 private:
  void read() {
    char bytes[16 * 1024];
    while (reads_ && !eof_ && !was_reset_) {
      const ssize_t count = ::recv(fd_, bytes, sizeof bytes, MSG_DONTWAIT);
      if (count > 0) received_.append(bytes, static_cast<std::size_t>(count));
      eof_ = count == 0;
      was_reset_ = count < 0 && errno == ECONNRESET;
      if (count < 0) break;
    }
  }

  int fd_;
  bool reads_ = true;
  bool eof_ = false;
  bool was_reset_ = false;
  std::string received_;
};

class SocketHarness final : public Harness {
 public:
  SocketHarness(std::unique_ptr<io::IoBackend> backend, bool has_queues)
      : backend_(std::move(backend)), has_queues_(has_queues) {
    getrlimit(RLIMIT_NOFILE, &limit_);
  }
  ~SocketHarness() override {
    if (helper_.joinable()) helper_.join();
    exhaust_descriptors(false);
    for (const io::Descriptor listener : listeners_) ::close(listener);
  }
  io::IoBackend& backend() override { return *backend_; }
  bool has_queues() const override { return has_queues_; }

  io::Descriptor listen() override {
    // Non-blocking, as a listener handed over by a service manager often is.
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(fd, 2048) == 0);
    listeners_.push_back(fd);
    return fd;
  }
  std::unique_ptr<Peer> connect(io::Descriptor listener) override {
    sockaddr_storage address;
    socklen_t size_bytes = sizeof address;
    REQUIRE(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size_bytes) == 0);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(fd >= 0);
    REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&address), size_bytes) == 0);
    return std::make_unique<SocketPeer>(fd);
  }
  void exhaust_descriptors(bool on) override {
    rlimit limit = limit_;
    if (on) {
      const int lowest_free = dup(0);
      ::close(lowest_free);
      limit.rlim_cur = static_cast<rlim_t>(lowest_free);
    }
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  }
  void from_another_thread(void (*action)(io::IoBackend&)) override {
    if (helper_.joinable()) helper_.join();
    helper_ = std::thread([this, action] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      action(*backend_);
    });
  }

 private:
  std::unique_ptr<io::IoBackend> backend_;
  bool has_queues_;
  rlimit limit_{};
  std::vector<io::Descriptor> listeners_;
  std::thread helper_;
};

}  // namespace

std::unique_ptr<Harness> make_uring_harness(const io::BackendOptions& options) {
  io::SetupProblem problem;
  auto made = io::make_uring(options, &problem);
  INFO(io::describe(problem));
  REQUIRE(made.ok());
  return std::make_unique<SocketHarness>(std::move(made).value(), true);
}

std::unique_ptr<Harness> make_epoll_harness(const io::BackendOptions& options) {
  auto made = io::make_epoll(options);
  REQUIRE(made.ok());
  return std::make_unique<SocketHarness>(std::move(made).value(), false);
}

}  // namespace millrace::conformance
