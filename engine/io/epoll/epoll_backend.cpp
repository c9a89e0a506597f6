#include "engine/io/epoll/epoll_backend.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <new>
#include <utility>

#include "engine/base/assert.hpp"
#include "engine/io/epoll/buffer_stack.hpp"
#include "engine/io/epoll/number_table.hpp"
#include "engine/io/epoll/poller.hpp"
#include "engine/io/epoll/ready_queue.hpp"
#include "engine/io/epoll/socket_state.hpp"
#include "engine/io/kernel_tls.hpp"
#include "engine/io/send_file.hpp"
#include "engine/io/system.hpp"

namespace millrace::io {
namespace {

constexpr unsigned passes_max = 8;    ///< Receives of one socket a wait, so that others get their turn.
constexpr unsigned accepts_max = 32;  ///< Accepts of one listener a pass.

/// The caller's array of completions, being filled.
class Report {
 public:
  explicit Report(std::span<Completion> out) noexcept : out_(out) {}
  bool full() const noexcept { return count_ == out_.size(); }
  std::size_t count() const noexcept { return count_; }
  void put(const Completion& done) noexcept {
    MR_ASSERT(!full());
    out_[count_++] = done;
  }
  /// Tells the end of an ended operation; false where there is no room.
  bool put_end(Operation& operation) noexcept {
    if (operation.phase != Phase::ended) return true;
    if (full()) return false;
    put({.token = operation.token, .result = operation.result});
    operation.phase = Phase::idle;
    return true;
  }

 private:
  std::span<Completion> out_;
  std::size_t count_ = 0;
};

class EpollBackend final : public IoBackend {
 public:
  EpollBackend() = default;
  int open(const BackendOptions& options) noexcept;

  void accept(Token token, Descriptor listener) noexcept override;
  void recv(Token token, Descriptor descriptor) noexcept override;
  void send(Token token, Descriptor descriptor, std::span<const iovec> parts) noexcept override;
  void send_file(Token token, Descriptor descriptor, std::span<const iovec> parts,
                 FileSlice& file) noexcept override;
  void send_alert(Token token, Descriptor descriptor, std::span<const iovec> parts) noexcept override;
  KernelTls* kernel_tls() noexcept override { return io::kernel_tls(); }
  void hangup(Token token, Descriptor descriptor) noexcept override;
  void cancel(Token token) noexcept override;
  void shutdown_send(Descriptor descriptor) noexcept override { ::shutdown(descriptor, SHUT_WR); }
  void close(Descriptor descriptor, bool reset) noexcept override;
  std::size_t wait(std::span<Completion> out, TimeNs deadline) noexcept override;
  void wake() noexcept override { poller_.wake(); }
  TimeNs now() noexcept override { return last_now_ = monotonic_now(); }
  char* buffer(std::uint16_t buffer_id) noexcept override { return buffers_.at(buffer_id); }
  std::uint32_t buffer_bytes() const noexcept override { return buffers_.buffer_bytes(); }
  std::uint32_t buffers() const noexcept override { return buffers_.size(); }
  void give_back(std::span<const std::uint16_t> buffer_ids) noexcept override {
    buffers_.give_back(buffer_ids);
  }
  bool peer_address(Descriptor descriptor, sockaddr_storage& out) noexcept override {
    return peer_address_of(descriptor, out);
  }
  std::size_t unacknowledged_bytes(Descriptor descriptor) noexcept override {
    return unacknowledged_bytes_of(descriptor);
  }
  const BackendStats& stats() const noexcept override { return stats_; }

 private:
  SocketState& start(Token token, Descriptor descriptor) noexcept;
  void queue_if_ready(Descriptor descriptor, SocketState& socket) noexcept {
    if (socket.can_go_on()) ready_.push(descriptor, socket);
  }
  NumberTable<Descriptor>& slots_of(Op op) noexcept { return op == Op::accept ? accept_slots_ : slots_; }

  void poll(TimeNs deadline) noexcept;
  void report_queued(Report& report) noexcept;
  bool report_one(Descriptor descriptor, SocketState& socket, Report& report) noexcept;
  void begin_send(Token token, Descriptor descriptor, std::span<const iovec> parts, FileSlice* file,
                  bool alert) noexcept;
  void try_send(Descriptor descriptor, SocketState& socket) noexcept;
  void receive(Descriptor descriptor, SocketState& socket, Report& report) noexcept;
  void accept_some(Descriptor listener, SocketState& socket, Report& report) noexcept;

  Poller poller_;
  BufferStack buffers_;
  NumberTable<SocketState> sockets_;      ///< By descriptor.
  NumberTable<Descriptor> slots_;         ///< By a token's slot, for cancel().
  NumberTable<Descriptor> accept_slots_;  ///< Listeners count their slots by themselves.
  ReadyQueue ready_{sockets_};
  bool no_buffers_ = false;  ///< None was free when this wait began.
  bool skip_poll_ = false;   ///< The last wait asked the kernel: what is queued may go first.
  bool wake_due_ = false;
  TimeNs last_now_ = 0;
  BackendStats stats_;
};

int EpollBackend::open(const BackendOptions& options) noexcept {
  if (const int failed = buffers_.open(options.buffers, options.buffer_bytes)) return failed;
  return poller_.open(options.wake_descriptor);
}

// --- Starting and ending operations -------------------------------------------------------------

SocketState& EpollBackend::start(Token token, Descriptor descriptor) noexcept {
  ++stats_.submissions;
  // An accepted socket has its state already; of others there are as many as listeners.
  SocketState* socket = sockets_.make(static_cast<std::uint32_t>(descriptor));
  MR_ASSERT(socket != nullptr);
  Operation& operation = socket->operation(token.op());
  MR_ASSERT(operation.phase == Phase::idle);
  operation = {.token = token, .phase = Phase::waiting};
  if (socket->slot != token.slot()) {
    Descriptor* const named = slots_of(token.op()).make(token.slot());
    MR_ASSERT(named != nullptr);
    *named = descriptor;
    socket->slot = token.slot();
  }
  return *socket;
}

void EpollBackend::accept(Token token, Descriptor listener) noexcept {
  SocketState& socket = start(token, listener);
  // Who was ready to be accepted may have left again, and then a blocking call would wait.
  if (socket.events == 0) ::fcntl(listener, F_SETFL, ::fcntl(listener, F_GETFL) | O_NONBLOCK);
  if (const int failed = poller_.ask_for(Poller::input_events, listener, socket)) socket.input.end(-failed);
  queue_if_ready(listener, socket);
}

void EpollBackend::recv(Token token, Descriptor descriptor) noexcept {
  SocketState& socket = start(token, descriptor);
  if (const int failed = poller_.ask_for(Poller::input_events, descriptor, socket)) socket.input.end(-failed);
  queue_if_ready(descriptor, socket);
}

void EpollBackend::send(Token token, Descriptor descriptor, std::span<const iovec> parts) noexcept {
  begin_send(token, descriptor, parts, nullptr, false);
}

// A piece that is not in memory is waited for: epoll knows no files, and a piece is short.
void EpollBackend::send_file(Token token, Descriptor descriptor, std::span<const iovec> parts,
                             FileSlice& file) noexcept {
  MR_ASSERT(file.size_bytes != 0);
  begin_send(token, descriptor, parts, &file, false);
}

void EpollBackend::send_alert(Token token, Descriptor descriptor, std::span<const iovec> parts) noexcept {
  begin_send(token, descriptor, parts, nullptr, true);
}

// Tries at once, while everything it needs is in the cache; wait() tells what came of it.
void EpollBackend::begin_send(Token token, Descriptor descriptor, std::span<const iovec> parts,
                              FileSlice* file, bool alert) noexcept {
  MR_ASSERT(!parts.empty() || file != nullptr);
  MR_ASSERT(parts.size() <= 1024);
  SocketState& socket = start(token, descriptor);
  socket.parts = parts;
  socket.file = file;
  socket.alert = alert;
  if (!socket.blocked) try_send(descriptor, socket);
  queue_if_ready(descriptor, socket);
}

void EpollBackend::hangup(Token token, Descriptor descriptor) noexcept {
  SocketState& socket = start(token, descriptor);
  if (const int failed = poller_.ask_for(Poller::input_events, descriptor, socket)) socket.watch.end(-failed);
  queue_if_ready(descriptor, socket);
}

void EpollBackend::cancel(Token token) noexcept {
  const Descriptor* const descriptor = slots_of(token.op()).find(token.slot());
  if (descriptor == nullptr) return;
  SocketState* const socket = sockets_.find(static_cast<std::uint32_t>(*descriptor));
  if (socket == nullptr) return;
  Operation& operation = socket->operation(token.op());
  if (!operation.waits() || operation.token != token) return;  // It has ended, or was never started.
  operation.end(-ECANCELED);
  ready_.push(*descriptor, *socket);
}

void EpollBackend::close(Descriptor descriptor, bool reset) noexcept {
  if (SocketState* const socket = sockets_.find(static_cast<std::uint32_t>(descriptor))) socket->close();
  close_socket(descriptor, reset);  // The last descriptor of a socket takes its registration with it.
}

// --- Waiting ------------------------------------------------------------------------------------

void EpollBackend::poll(TimeNs deadline) noexcept {
  int timeout_ms = 0;
  if (deadline == time_never) {
    timeout_ms = -1;
  } else if (deadline > last_now_) {  // A time that is past is known without asking the clock.
    const TimeNs now = monotonic_now();
    const TimeNs left = deadline > now ? deadline - now : 0;
    timeout_ms = static_cast<int>(std::min<TimeNs>(left / ns_per_ms + (left % ns_per_ms != 0), INT_MAX));
  }
  ++stats_.waits;
  for (const epoll_event& event : poller_.wait(timeout_ms)) {
    if (Poller::is_wake(event)) {
      wake_due_ = true;
      continue;
    }
    const Descriptor descriptor = Poller::descriptor_of(event);
    SocketState* const socket = sockets_.find(static_cast<std::uint32_t>(descriptor));
    MR_ASSERT(socket != nullptr);
    if (!Poller::is_of(event, *socket)) continue;
    socket->note(event.events);
    queue_if_ready(descriptor, *socket);
  }
}

void EpollBackend::try_send(Descriptor descriptor, SocketState& socket) noexcept {
  ssize_t sent = 0;
  constexpr int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
  if (socket.file != nullptr) [[unlikely]] {
    sent = send_file_now(descriptor, socket.parts, *socket.file);
    if (sent < 0) errno = static_cast<int>(-sent);
  } else if (socket.parts.size() == 1 && !socket.alert) {
    sent = ::send(descriptor, socket.parts[0].iov_base, socket.parts[0].iov_len, flags);
  } else {
    msghdr header{};
    header.msg_iov = const_cast<iovec*>(socket.parts.data());
    header.msg_iovlen = socket.parts.size();
    if (socket.alert) mark_alert(header);
    sent = ::sendmsg(descriptor, &header, flags);
  }
  if (sent >= 0) return socket.output.end(static_cast<std::int32_t>(sent));
  if (errno != EAGAIN) return socket.output.end(-errno);
  socket.blocked = true;
  if (const int failed = poller_.ask_for(Poller::input_events | EPOLLOUT, descriptor, socket))
    socket.output.end(-failed);
}

void EpollBackend::accept_some(Descriptor listener, SocketState& socket, Report& report) noexcept {
  for (unsigned i = 0; i < accepts_max && !report.full(); ++i) {
    const Descriptor accepted = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (accepted < 0) {
      if (errno == EAGAIN)
        socket.readable = false;
      else
        socket.input.end(-errno);  // Still readable: whoever waits is found when it is armed again.
      return;
    }
    if (sockets_.make(static_cast<std::uint32_t>(accepted)) == nullptr) {
      ::close(accepted);
      return socket.input.end(-ENOMEM);
    }
    report.put({.token = socket.input.token, .result = accepted, .more = true});
  }
}

void EpollBackend::receive(Descriptor descriptor, SocketState& socket, Report& report) noexcept {
  if (buffers_.empty()) {
    // Where this wait used the last one, the socket keeps its place until the core gave some back.
    if (no_buffers_) socket.input.end(-ENOBUFS);
    return;
  }
  const std::uint16_t id = buffers_.top();
  const std::size_t room = buffers_.buffer_bytes();
  const ssize_t size = ::recv(descriptor, buffers_.at(id), room, MSG_DONTWAIT);
  if (size > 0) [[likely]] {
    buffers_.pop();
    socket.readable = static_cast<std::size_t>(size) == room || socket.trailing;
    return report.put({.token = socket.input.token,
                       .result = static_cast<std::int32_t>(size),
                       .buffer_id = id,
                       .has_buffer = true,
                       .more = true});
  }
  if (size == 0) return socket.input.end(0);
  if (errno == EAGAIN) {
    socket.readable = false;
  } else if (errno != EINTR) {
    socket.input.end(-errno);
  }
}

// False where there was no room for everything.
bool EpollBackend::report_one(Descriptor descriptor, SocketState& socket, Report& report) noexcept {
  if (socket.output.waits() && !socket.blocked) try_send(descriptor, socket);
  if (!report.put_end(socket.output)) return false;
  if (socket.input.waits() && socket.readable) {
    if (report.full()) return false;
    if (socket.input.token.op() == Op::accept) {
      accept_some(descriptor, socket, report);
    } else {
      receive(descriptor, socket, report);
    }
  }
  if (!report.put_end(socket.input)) return false;
  if (socket.watch.waits() && socket.hung_up) socket.watch.end(EPOLLHUP);
  return report.put_end(socket.watch);
}

// Round and round: a socket with much to read does not hold up the others.
void EpollBackend::report_queued(Report& report) noexcept {
  for (unsigned pass = 0; pass < passes_max && ready_.size() != 0; ++pass) {
    const std::size_t before = report.count();
    for (std::uint32_t left = ready_.size(); left != 0; --left) {
      const Descriptor descriptor = ready_.front();
      SocketState& socket = *sockets_.find(static_cast<std::uint32_t>(descriptor));
      if (!report_one(descriptor, socket, report)) return;  // It stays in front.
      ready_.pop(socket);
      queue_if_ready(descriptor, socket);
    }
    if (report.count() == before) return;  // Those that are left wait for buffers.
  }
}

std::size_t EpollBackend::wait(std::span<Completion> out, TimeNs deadline) noexcept {
  MR_ASSERT(!out.empty());
  Report report(out);
  no_buffers_ = buffers_.empty();
  for (;;) {
    // What is queued (sends that were taken, above all) is told without asking the kernel again, but
    // not twice in a row: who sends all the time must not keep others from being read.
    const bool queued = ready_.size() != 0 || wake_due_;
    if (!queued || !skip_poll_) poll(queued ? 0 : deadline);
    skip_poll_ = !queued || !skip_poll_;
    if (wake_due_) {
      wake_due_ = false;
      poller_.take_wake();
      report.put({.token = Token(Op::wake, 0, 0)});
    }
    report_queued(report);
    if (report.count() != 0) [[likely]]
      break;
    // Nothing for the caller: the deadline, a signal, or readiness that was none.
    if (deadline <= last_now_ || (deadline != time_never && monotonic_now() >= deadline)) break;
  }
  stats_.completions += report.count();
  return report.count();
}

}  // namespace

Result<std::unique_ptr<IoBackend>> make_epoll(const BackendOptions& options) noexcept {
  std::unique_ptr<EpollBackend> backend(new (std::nothrow) EpollBackend);
  const int failed = backend == nullptr ? ENOMEM : backend->open(options);
  if (failed == 0) return std::unique_ptr<IoBackend>(std::move(backend));
  return Error{.code = Errc::unsupported, .os_errno = failed};
}

}  // namespace millrace::io
