// epoll.cpp: the null server on epoll, level-triggered: what the same machine does without io_uring.
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <vector>

#include "perf/common/arguments.hpp"
#include "perf/common/process.hpp"
#include "perf/limit/answers.hpp"

namespace millrace::perf {
namespace {

class EpollServer {
 public:
  EpollServer(const Answers& answers, int listener)
      : answers_(answers),
        listener_(listener),
        poll_(epoll_create1(EPOLL_CLOEXEC)),
        accounts_(open_files_max()),
        buffer_(8192) {
    if (poll_ < 0) fail("cannot open an epoll instance");
    // A connection may be gone again by the time it is accepted.
    fcntl(listener_, F_SETFL, fcntl(listener_, F_GETFL) | O_NONBLOCK);
    watch(listener_, EPOLL_CTL_ADD, EPOLLIN);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 1024> events;
    for (;;) {
      const int count = epoll_wait(poll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.fd == listener_)
          accept_one();
        else
          serve(event.data.fd, event.events);
      }
    }
  }

 private:
  void watch(int descriptor, int operation, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = descriptor;
    if (epoll_ctl(poll_, operation, descriptor, &event) != 0) fail("cannot watch a socket");
  }

  void accept_one() {
    const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) return;
    account(descriptor) = {};
    watch(descriptor, EPOLL_CTL_ADD, EPOLLIN);
  }

  // Reads once: less than a full buffer means that there is no more, and level triggering tells the rest.
  void serve(int descriptor, std::uint32_t events) {
    const bool was_full = account(descriptor).owed != 0;
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
      const ssize_t size = recv(descriptor, buffer_.data(), buffer_.size(), 0);
      if (size == 0 || (size < 0 && errno != EAGAIN)) {
        close(descriptor);
        return;
      }
      if (size > 0) account(descriptor).received(answers_, static_cast<std::uint32_t>(size));
    }
    flush(descriptor);
    const bool full = account(descriptor).owed != 0;
    if (full != was_full) watch(descriptor, EPOLL_CTL_MOD, full ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }

  void flush(int descriptor) {
    while (account(descriptor).owed != 0) {
      const std::string_view bytes = answers_.bytes(account(descriptor).place, account(descriptor).owed);
      const ssize_t size = send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size < 0) return;
      account(descriptor).sent(answers_, static_cast<std::uint32_t>(size));
    }
  }

  Account& account(int descriptor) { return accounts_[static_cast<std::size_t>(descriptor)]; }

  const Answers& answers_;
  const int listener_;
  const int poll_;
  std::vector<Account> accounts_;  ///< By descriptor.
  std::vector<char> buffer_;
};

}  // namespace
}  // namespace millrace::perf

int main(int argc, char** argv) {
  using namespace millrace::perf;
  Arguments arguments(argc, argv);
  if (arguments.flag("--help")) {
    std::puts("limit_epoll [--port N] [--cpu N] [--request-bytes N] [--answers N] [--response-bytes N]");
    return 0;
  }
  Shape shape;
  const auto port = static_cast<std::uint16_t>(arguments.number("--port", 0));
  pin(arguments.number("--cpu", any_cpu));
  shape.request_bytes = static_cast<std::uint32_t>(arguments.number("--request-bytes", shape.request_bytes));
  shape.answers = static_cast<std::uint32_t>(arguments.number("--answers", shape.answers));
  shape.response_bytes =
      static_cast<std::uint32_t>(arguments.number("--response-bytes", shape.response_bytes));
  arguments.finish();

  const Answers answers(shape);
  const int listener = listen_on(port);
  EpollServer server(answers, listener);
  std::printf("port %u\n", port_of(listener));
  std::fflush(stdout);
  server.run();
}
