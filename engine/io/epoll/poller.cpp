#include "engine/io/epoll/poller.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "engine/base/assert.hpp"
#include "engine/io/system.hpp"

namespace millrace::io {

int Poller::open(Descriptor wake) noexcept {
  poll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  if (poll_fd_ < 0) return errno;
  own_wake_ = wake == no_descriptor;
  wake_fd_ = own_wake_ ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : wake;
  if (wake_fd_ < 0) return errno;
  // Each write is an edge of its own, so the counter is never read.
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.u64 = wake_data}};
  return epoll_ctl(poll_fd_, EPOLL_CTL_ADD, wake_fd_, &event) == 0 ? 0 : errno;
}

Poller::~Poller() {
  if (own_wake_ && wake_fd_ >= 0) ::close(wake_fd_);
  if (poll_fd_ >= 0) ::close(poll_fd_);
}

int Poller::ask_for(std::uint32_t events, Descriptor descriptor, SocketState& socket) noexcept {
  if ((socket.events & events) == events) [[likely]]
    return 0;
  const int how = socket.events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  epoll_event event{.events = socket.events | events, .data = {}};
  event.data.u64 = std::uint64_t{socket.serial} << 32 | static_cast<std::uint32_t>(descriptor);
  if (epoll_ctl(poll_fd_, how, descriptor, &event) != 0) return errno;
  socket.events |= events;
  return 0;
}

std::span<const epoll_event> Poller::wait(int timeout_ms) noexcept {
  const int count = epoll_wait(poll_fd_, events_.data(), static_cast<int>(events_max), timeout_ms);
  MR_ASSERT(count >= 0 || errno == EINTR);
  return {events_.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
}

void Poller::wake() noexcept {
  if (!wake_pending_.exchange(true, std::memory_order_acq_rel)) signal_event(wake_fd_);
}

// A wake() from here on writes again. An exchange, because one that did not write must be seen as well.
void Poller::take_wake() noexcept { wake_pending_.exchange(false, std::memory_order_acq_rel); }

}  // namespace millrace::io
