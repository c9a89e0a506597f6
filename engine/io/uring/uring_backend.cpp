#include "engine/io/uring/uring_backend.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <memory>
#include <new>
#include <utility>

#include "engine/io/kernel_tls.hpp"
#include "engine/io/send_file.hpp"
#include "engine/io/system.hpp"
#include "engine/io/uring/buffer_ring.hpp"
#include "engine/io/uring/ring.hpp"
#include "engine/mem/allocate.hpp"

namespace millrace::io {
namespace {

// A bit of a token's operation that no Op uses: marks a hangup watch whose peer is known to be gone.
constexpr std::uint64_t hangup_seen = std::uint64_t{0x80} << 56;
// Another: a send of a file waits for this read, which brings the file into memory.
constexpr std::uint64_t file_loading = std::uint64_t{0x40} << 56;
constexpr std::size_t ready_max = 1024;

class UringBackend final : public IoBackend {
 public:
  UringBackend() = default;
  ~UringBackend() override;
  int open(const BackendOptions& options, bool& buffers_refused) noexcept;

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
  void close(Descriptor descriptor, bool reset) noexcept override { close_socket(descriptor, reset); }
  std::size_t wait(std::span<Completion> out, TimeNs deadline) noexcept override;
  void wake() noexcept override;
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
  std::size_t reap(std::span<Completion> out) noexcept;
  msghdr& prepare_message(io_uring_sqe& sqe, Descriptor descriptor, std::span<const iovec> parts) noexcept;
  bool keep_hangup(Completion& done) noexcept;
  bool keep(Completion& done) noexcept;
  void load_file(Token token, FileSlice& file) noexcept;
  void send_copy(Token token, Descriptor descriptor, const FileSlice& file) noexcept;
  std::size_t take_ready(std::span<Completion> out) noexcept;
  void end_hangup(Token token) noexcept;
  void arm_wake() noexcept;

  BufferRing buffers_;  // Before ring_: the ring ends first, and with it the kernel's use of the buffers.
  Ring ring_;
  msghdr* headers_ = nullptr;  ///< One a submission entry; the kernel copies it when it takes the entry.
  std::unique_ptr<Completion[]> ready_;  ///< Of files sent at once: told by the next wait().
  std::size_t ready_count_ = 0;
  char* loaded_ = nullptr;  ///< Where files are read to that must only come into memory; nobody looks.
  int wake_fd_ = -1;
  bool own_wake_ = true;
  std::uint64_t wake_count_ = 0;           ///< Where the kernel puts the event counter.
  std::atomic<bool> wake_pending_{false};  ///< Saves the system call of all but the first wake().
  TimeNs last_now_ = 0;
  BackendStats stats_;
};

int UringBackend::open(const BackendOptions& options, bool& buffers_refused) noexcept {
  MR_ASSERT(std::has_single_bit(options.queue_entries));
  MR_ASSERT(std::has_single_bit(options.completion_entries));
  MR_ASSERT(options.completion_entries >= options.queue_entries);
  buffers_refused = false;
  if (const int failed = ring_.open(options.queue_entries, options.completion_entries)) return failed;
  if (const int failed = buffers_.open(ring_.raw(), options.buffers, options.buffer_bytes, buffers_refused))
    return failed;
  headers_ = static_cast<msghdr*>(mem::allocate(ring_.entries() * sizeof(msghdr)));
  ready_.reset(new (std::nothrow) Completion[ready_max]);
  if (headers_ == nullptr || ready_ == nullptr) return ENOMEM;
  // Blocking, because the kernel fails a read of a non-blocking descriptor instead of waiting.
  own_wake_ = options.wake_descriptor == no_descriptor;
  wake_fd_ = own_wake_ ? eventfd(0, EFD_CLOEXEC) : options.wake_descriptor;
  if (wake_fd_ < 0) return errno;
  arm_wake();
  return 0;
}

UringBackend::~UringBackend() {
  if (own_wake_ && wake_fd_ >= 0) ::close(wake_fd_);
  mem::release(headers_);
  mem::release(loaded_);
}

void UringBackend::accept(Token token, Descriptor listener) noexcept {
  io_uring_sqe& sqe = ring_.next_sqe();
  io_uring_prep_multishot_accept(&sqe, listener, nullptr, nullptr, SOCK_CLOEXEC);
  sqe.user_data = token.bits();
}

void UringBackend::recv(Token token, Descriptor descriptor) noexcept {
  io_uring_sqe& sqe = ring_.next_sqe();
  io_uring_prep_recv_multishot(&sqe, descriptor, nullptr, 0, 0);
  sqe.flags = IOSQE_BUFFER_SELECT;
  sqe.buf_group = BufferRing::group;
  sqe.user_data = token.bits();
}

// Without MSG_WAITALL: a send that waited for the last byte would hide from the core that a slow
// peer still reads.
void UringBackend::send(Token token, Descriptor descriptor, std::span<const iovec> parts) noexcept {
  MR_ASSERT(!parts.empty());
  MR_ASSERT(parts.size() <= 1024);
  io_uring_sqe& sqe = ring_.next_sqe();
  if (parts.size() == 1) {
    io_uring_prep_send(&sqe, descriptor, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL);
  } else {
    prepare_message(sqe, descriptor, parts);
  }
  sqe.user_data = token.bits();
}

msghdr& UringBackend::prepare_message(io_uring_sqe& sqe, Descriptor descriptor,
                                      std::span<const iovec> parts) noexcept {
  msghdr& header = headers_[ring_.index_of(sqe)];
  header = {};
  header.msg_iov = const_cast<iovec*>(parts.data());
  header.msg_iovlen = parts.size();
  io_uring_prep_sendmsg(&sqe, descriptor, &header, MSG_NOSIGNAL);
  return header;
}

void UringBackend::send_alert(Token token, Descriptor descriptor, std::span<const iovec> parts) noexcept {
  io_uring_sqe& sqe = ring_.next_sqe();
  mark_alert(prepare_message(sqe, descriptor, parts));
  sqe.user_data = token.bits();
}

// At once, by system calls: the ring would give a splice to another thread, which costs more than it does.
// What cannot go on is waited for by the ring: a piece that is not in memory, and room in the socket. The
// former is asked for once, because a file system may have no use for memory.
void UringBackend::send_file(Token token, Descriptor descriptor, std::span<const iovec> parts,
                             FileSlice& file) noexcept {
  MR_ASSERT(file.size_bytes != 0);
  if (file.offset >= file.loaded_end && !file_in_memory(file))
    return parts.empty() ? load_file(token, file) : send(token, descriptor, parts);
  const int result = ready_count_ == ready_max ? -EAGAIN : send_file_now(descriptor, parts, file);
  if (result != -EAGAIN) {
    ready_[ready_count_++] = {.token = token, .result = result};
  } else if (!parts.empty()) {
    send(token, descriptor, parts);
  } else {
    send_copy(token, descriptor, file);
  }
}

void UringBackend::load_file(Token token, FileSlice& file) noexcept {
  const auto piece = static_cast<unsigned>(std::min<std::uint64_t>(file.size_bytes, file_piece_bytes));
  if (loaded_ == nullptr) loaded_ = static_cast<char*>(mem::allocate(file_piece_bytes));
  io_uring_sqe& sqe = ring_.next_sqe();
  // Without memory only its first byte comes, and what it brings with it.
  if (loaded_ == nullptr)
    io_uring_prep_read(&sqe, file.descriptor, file.room.data(), 1, file.offset);
  else
    io_uring_prep_read(&sqe, file.descriptor, loaded_, piece, file.offset);
  file.loaded_end = file.offset + piece;
  sqe.user_data = token.bits() | file_loading;
}

// Waiting with bytes in hand: a poll for room would end at once, again and again, where the peer has ended
// its direction (see hangup()).
void UringBackend::send_copy(Token token, Descriptor descriptor, const FileSlice& file) noexcept {
  const int count = copy_piece(file);
  if (count < 0 && ready_count_ < ready_max) {
    ready_[ready_count_++] = {.token = token, .result = count};
    return;
  }
  io_uring_sqe& sqe = ring_.next_sqe();
  if (count > 0) {
    io_uring_prep_send(&sqe, descriptor, file.room.data(), static_cast<std::size_t>(count), MSG_NOSIGNAL);
    sqe.user_data = token.bits();
  } else {
    io_uring_prep_nop(&sqe);
    sqe.user_data = token.bits() | file_loading;  // Asked for again, when ready_ has room.
  }
}

std::size_t UringBackend::take_ready(std::span<Completion> out) noexcept {
  const std::size_t count = std::min(ready_count_, out.size());
  std::copy_n(ready_.get(), count, out.data());
  std::copy(ready_.get() + count, ready_.get() + ready_count_, ready_.get());
  ready_count_ -= count;
  return count;
}

// The kernel adds POLLRDHUP to every poll, so a half close completes a single-shot poll, and would
// complete it again each time it is armed. A multishot one tells it once and goes on; end_hangup()
// ends it when there is more to tell.
void UringBackend::hangup(Token token, Descriptor descriptor) noexcept {
  io_uring_sqe& sqe = ring_.next_sqe();
  io_uring_prep_poll_multishot(&sqe, descriptor, POLLERR | POLLHUP);
  sqe.user_data = token.bits();
}

void UringBackend::cancel(Token token) noexcept {
  io_uring_sqe& sqe = ring_.next_sqe();
  io_uring_prep_cancel64(&sqe, token.bits(), 0);
  sqe.flags = IOSQE_CQE_SKIP_SUCCESS;
  sqe.user_data = Token().bits();
  if (token.op() != Op::send) return;
  io_uring_sqe& awaited = ring_.next_sqe();
  io_uring_prep_cancel64(&awaited, token.bits() | file_loading, 0);
  awaited.flags = IOSQE_CQE_SKIP_SUCCESS;
  awaited.user_data = Token().bits();
}

// Renames the watch, so that its last completion tells that it hung up, and cancels it under the new
// name. Where a cancel of the caller's came first, neither finds it, and that cancel's completion is
// the last one; where another event of the poll is under way, it comes here again.
void UringBackend::end_hangup(Token token) noexcept {
  const std::uint64_t renamed = token.bits() | hangup_seen;
  io_uring_sqe& update = ring_.next_sqe();
  io_uring_prep_poll_update(&update, token.bits(), renamed, 0, IORING_POLL_UPDATE_USER_DATA);
  update.flags = IOSQE_CQE_SKIP_SUCCESS;
  update.user_data = Token().bits();
  cancel(Token::from_bits(renamed));
}

void UringBackend::arm_wake() noexcept {
  io_uring_sqe& sqe = ring_.next_sqe();
  io_uring_prep_read(&sqe, wake_fd_, &wake_count_, sizeof wake_count_, 0);
  sqe.user_data = Token(Op::wake, 0, 0).bits();
}

void UringBackend::wake() noexcept {
  if (wake_pending_.exchange(true, std::memory_order_acq_rel)) return;
  signal_event(wake_fd_);
}

// What reap() copied and is not plainly the caller's. False: it is the backend's own affair.
bool UringBackend::keep(Completion& done) noexcept {
  if ((done.token.bits() & hangup_seen) != 0) return keep_hangup(done);
  if ((done.token.bits() & file_loading) != 0) {
    done.token = Token::from_bits(done.token.bits() & ~file_loading);
    if (done.result != -ECANCELED) done.result = -EAGAIN;
    return true;
  }
  switch (done.token.op()) {
    case Op::none: return false;
    case Op::wake:
      // In this order: a wake() from here on writes again, and the read armed below sees it.
      wake_pending_.store(false, std::memory_order_seq_cst);
      arm_wake();
      return true;
    case Op::accept:
    case Op::send: return true;
    case Op::recv:
      if (done.has_buffer && done.result <= 0) {
        give_back({&done.buffer_id, 1});
        done.has_buffer = false;
      }
      return true;
    case Op::hangup: return keep_hangup(done);
  }
  MR_UNREACHABLE("a completion whose token holds no Op");
}

bool UringBackend::keep_hangup(Completion& done) noexcept {
  const bool seen = (done.token.bits() & hangup_seen) != 0;
  const bool gone = seen || (done.result > 0 && (done.result & (POLLERR | POLLHUP)) != 0);
  if (done.more) {
    if (gone && !seen) end_hangup(done.token);
    return false;
  }
  done.token = Token::from_bits(done.token.bits() & ~hangup_seen);
  if (gone) {
    done.result = POLLHUP;
  } else if (done.result >= 0) {
    // Ended by the kernel, as happens when the completion queue is full; only a half close was seen.
    done.result = -EAGAIN;
  }
  return true;
}

std::size_t UringBackend::reap(std::span<Completion> out) noexcept {
  std::uint32_t head = ring_.head();
  const std::uint32_t tail = ring_.tail();
  std::size_t count = 0;
  while (head != tail && count < out.size()) {
    const io_uring_cqe& cqe = ring_.at(head++);
    Completion& done = out[count];
    done = {.token = Token::from_bits(cqe.user_data),
            .result = cqe.res,
            .buffer_id = static_cast<std::uint16_t>(cqe.flags >> IORING_CQE_BUFFER_SHIFT),
            .has_buffer = (cqe.flags & IORING_CQE_F_BUFFER) != 0,
            .more = (cqe.flags & IORING_CQE_F_MORE) != 0};
    const bool plain = done.token.op() == Op::send || (done.token.op() == Op::recv && done.result > 0);
    if (plain || keep(done)) [[likely]]
      ++count;
  }
  ring_.advance(head);
  return count;
}

std::size_t UringBackend::wait(std::span<Completion> out, TimeNs deadline) noexcept {
  MR_ASSERT(!out.empty());
  std::size_t told = 0;
  std::size_t count = 0;
  // The kernel takes microseconds to find that a time is past; what was last read tells it for nothing.
  if (deadline <= last_now_) deadline = 0;
  if (ready_count_ != 0) [[unlikely]] {
    told = take_ready(out);
    out = out.subspan(told);
    deadline = 0;
  }
  for (;;) {
    const std::uint32_t ready = ring_.tail() - ring_.head();
    if (ready < out.size() || ring_.queued() != 0) ring_.enter(ready == 0 && deadline != 0, deadline);
    count = reap(out);
    if (count != 0) [[likely]]
      break;
    // Nothing for the caller: the deadline, a signal, or completions that were only the backend's.
    if (deadline == 0 || (deadline != time_never && monotonic_now() >= deadline)) break;
  }
  stats_.waits = ring_.enters();
  count += told;
  stats_.completions += count;
  stats_.submissions = ring_.submissions();
  stats_.queue_overflows = ring_.overflows();
  stats_.submission_stalls = ring_.stalls();
  return count;
}

}  // namespace

Result<std::unique_ptr<IoBackend>> make_uring(const BackendOptions& options, SetupProblem* why) noexcept {
  std::unique_ptr<UringBackend> backend(new (std::nothrow) UringBackend);
  bool buffers_refused = false;
  const int failed = backend == nullptr ? ENOMEM : backend->open(options, buffers_refused);
  if (failed == 0) return std::unique_ptr<IoBackend>(std::move(backend));
  if (why != nullptr)
    *why = problem_of(facts_now(buffers_refused ? 0 : failed, buffers_refused ? failed : 0));
  return Error{.code = Errc::unsupported, .os_errno = failed};
}

}  // namespace millrace::io
