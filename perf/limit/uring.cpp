// uring.cpp: the null server, the limit the engine is held against.
//
//   wait -> count received bytes -> one send per connection -> give buffers back
//
// The ring is set up as the engine's: SINGLE_ISSUER and DEFER_TASKRUN, a registered ring descriptor,
// multishot accept, multishot receive from a provided-buffer ring, one send per connection and batch.
// Nothing is parsed, no handler runs, no time is kept: what is left is the kernel. The flags after
// the shape are for trying what else a kernel offers; the defaults are what paid (perf/README.md).
#include <liburing.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "perf/common/arguments.hpp"
#include "perf/common/process.hpp"
#include "perf/limit/answers.hpp"

namespace millrace::perf {
namespace {

// Kernel constants that liburing 2.3 does not name.
constexpr unsigned recv_bundle = 1u << 4;          // IORING_RECVSEND_BUNDLE, Linux 6.10
constexpr unsigned buffers_incremental = 1u << 1;  // IOU_PBUF_RING_INC, Linux 6.12
constexpr unsigned buffer_more = 1u << 4;          // IORING_CQE_F_BUF_MORE, Linux 6.12

struct Tuning {
  std::uint32_t buffers = 512;
  std::uint32_t buffer_bytes = 8192;
  std::uint32_t wait_count = 1;   ///< Completions to wait for...
  std::uint32_t min_wait_us = 0;  ///< ...this long at most before one is enough.
  bool bundles = false;           ///< A receive may fill several buffers.
  bool incremental = false;       ///< A buffer is filled by several receives.
  bool direct = false;            ///< Direct descriptors.
  bool quiet_sends = false;       ///< No completion for a send that succeeds; it never is short.
  bool unregistered = false;      ///< The ring's descriptor is not registered.
  bool coop = false;              ///< COOP_TASKRUN in place of DEFER_TASKRUN.
  bool huge_pages = false;        ///< The buffers in transparent huge pages.
  bool send_message = false;      ///< sendmsg with one part in place of send.
  bool zero_copy = false;         ///< SEND_ZC.
  bool spin = false;              ///< Never sleeps: asks for completions again and again.
};

enum class Op : std::uint8_t { accept, receive, send, close };

constexpr std::uint64_t tag(Op op, std::uint32_t slot) noexcept {
  return static_cast<std::uint64_t>(op) << 32 | slot;
}

void check(int result, const char* what) {
  if (result < 0) fail(std::string("cannot ") + what + ": " + std::strerror(-result));
}

struct Connection {
  Account account;
  bool receiving = false;
  bool sending = false;
  bool touched = false;  ///< Already in the list of this batch.
};

struct Message {
  msghdr header;
  iovec part;
};

class NullServer {
 public:
  NullServer(const Answers& answers, const Tuning& tuning, int listener)
      : answers_(answers), tuning_(tuning), listener_(listener), connections_(open_files_max()) {
    open_ring();
    open_buffers();
    touched_.reserve(connections_.size());
    starved_.reserve(connections_.size());
    if (tuning_.send_message) messages_.resize(connections_.size());
    arm_accept();
  }

  [[noreturn]] void run() {
    for (;;) {
      wait();
      unsigned head = 0;
      unsigned count = 0;
      io_uring_cqe* cqe = nullptr;
      io_uring_for_each_cqe(&ring_, head, cqe) {
        ++count;
        take(*cqe);
      }
      io_uring_cq_advance(&ring_, count);
      for (const std::uint32_t slot : touched_) flush(slot);
      touched_.clear();
      give_back();
      for (const std::uint32_t slot : starved_) arm_receive(slot);
      starved_.clear();
    }
  }

 private:
  void open_ring();
  void open_buffers();
  void wait();
  unsigned publish();
  io_uring_sqe& next_entry();
  void arm_accept();
  void arm_receive(std::uint32_t slot);
  void take(const io_uring_cqe& cqe);
  void accepted(const io_uring_cqe& cqe);
  void received(std::uint32_t slot, const io_uring_cqe& cqe);
  void sent(std::uint32_t slot, int result);
  void touch(std::uint32_t slot);
  void flush(std::uint32_t slot);
  void end(std::uint32_t slot);
  void use_buffers(const io_uring_cqe& cqe);
  void put_buffer(std::uint16_t id);
  void give_back();

  const Answers& answers_;
  const Tuning tuning_;
  const int listener_;
  io_uring ring_{};
  io_uring_buf_ring* buffers_ = nullptr;
  char* buffer_memory_ = nullptr;
  std::uint16_t buffers_put_ = 0;        ///< Since the last give_back().
  std::vector<Connection> connections_;  ///< By descriptor.
  std::vector<Message> messages_;        ///< The same, for sendmsg alone.
  std::vector<std::uint32_t> touched_;
  std::vector<std::uint32_t> starved_;
};

void NullServer::open_ring() {
  io_uring_params parameters{};
  parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL |
                     (tuning_.coop ? IORING_SETUP_COOP_TASKRUN : IORING_SETUP_DEFER_TASKRUN);
  parameters.cq_entries = 16384;
  check(io_uring_queue_init_params(4096, &ring_, &parameters), "open a ring");
  if (!tuning_.unregistered) check(io_uring_register_ring_fd(&ring_), "register the ring");
  if (tuning_.direct)
    check(io_uring_register_files_sparse(&ring_, static_cast<unsigned>(connections_.size())),
          "register files");
}

void NullServer::open_buffers() {
  if (!std::has_single_bit(tuning_.buffers) || tuning_.buffers > 32768)
    fail_usage("--buffers is a power of two, at most 32768");
  const std::size_t entries_bytes = tuning_.buffers * sizeof(io_uring_buf);
  const std::size_t data_bytes = std::size_t{tuning_.buffers} * tuning_.buffer_bytes;
  void* entries = mmap(nullptr, entries_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  void* data = mmap(nullptr, data_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (entries == MAP_FAILED || data == MAP_FAILED) fail("no memory for the buffers");
  if (tuning_.huge_pages) madvise(data, data_bytes, MADV_HUGEPAGE);
  buffers_ = static_cast<io_uring_buf_ring*>(entries);
  buffer_memory_ = static_cast<char*>(data);
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(entries);
  registration.ring_entries = tuning_.buffers;
  // `pad` is where later headers have the flags.
  if (tuning_.incremental) registration.pad = buffers_incremental;
  check(io_uring_register_buf_ring(&ring_, &registration, 0), "register the buffers");
  for (std::uint32_t id = 0; id < tuning_.buffers; ++id) put_buffer(static_cast<std::uint16_t>(id));
  give_back();
}

void NullServer::put_buffer(std::uint16_t id) {
  io_uring_buf_ring_add(buffers_, buffer_memory_ + std::size_t{id} * tuning_.buffer_bytes,
                        tuning_.buffer_bytes, id, io_uring_buf_ring_mask(tuning_.buffers), buffers_put_++);
}

void NullServer::give_back() {
  if (buffers_put_ == 0) return;
  io_uring_buf_ring_advance(buffers_, buffers_put_);
  buffers_put_ = 0;
}

// Makes what is queued visible to the kernel and returns how much it is: liburing has no call that
// submits and waits with a minimum time.
unsigned NullServer::publish() {
  io_uring_sq& queue = ring_.sq;
  const unsigned mask = *queue.kring_mask;
  const unsigned count = queue.sqe_tail - queue.sqe_head;
  unsigned tail = *queue.ktail;
  for (unsigned i = 0; i < count; ++i) queue.array[tail++ & mask] = queue.sqe_head++ & mask;
  std::atomic_ref<unsigned>(*queue.ktail).store(tail, std::memory_order_release);
  return count;
}

void NullServer::wait() {
  int result = 0;
  if (tuning_.spin) {
    result = io_uring_submit_and_get_events(&ring_);
  } else if (tuning_.min_wait_us == 0) {
    result = io_uring_submit_and_wait(&ring_, tuning_.wait_count);
  } else {
    // Linux 6.12: `pad` is min_wait_usec. Without a time to end at it would return with nothing.
    __kernel_timespec hour{.tv_sec = 3600, .tv_nsec = 0};
    io_uring_getevents_arg argument{};
    argument.pad = tuning_.min_wait_us;
    argument.ts = reinterpret_cast<std::uintptr_t>(&hour);
    const unsigned registered = tuning_.unregistered ? 0u : unsigned{IORING_ENTER_REGISTERED_RING};
    result = io_uring_enter2(static_cast<unsigned>(ring_.enter_ring_fd), publish(), tuning_.wait_count,
                             IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG | registered,
                             reinterpret_cast<sigset_t*>(&argument), sizeof argument);
  }
  if (result < 0 && result != -EINTR && result != -EBUSY && result != -ETIME) check(result, "wait");
}

io_uring_sqe& NullServer::next_entry() {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  while (sqe == nullptr) {
    check(io_uring_submit(&ring_), "submit");
    sqe = io_uring_get_sqe(&ring_);
  }
  return *sqe;
}

void NullServer::arm_accept() {
  io_uring_sqe& sqe = next_entry();
  if (tuning_.direct)
    io_uring_prep_multishot_accept_direct(&sqe, listener_, nullptr, nullptr, 0);
  else
    io_uring_prep_multishot_accept(&sqe, listener_, nullptr, nullptr, SOCK_CLOEXEC);
  sqe.user_data = tag(Op::accept, 0);
}

void NullServer::arm_receive(std::uint32_t slot) {
  io_uring_sqe& sqe = next_entry();
  io_uring_prep_recv_multishot(&sqe, static_cast<int>(slot), nullptr, 0, 0);
  sqe.flags |= IOSQE_BUFFER_SELECT;
  if (tuning_.direct) sqe.flags |= IOSQE_FIXED_FILE;
  if (tuning_.bundles) sqe.ioprio |= recv_bundle;
  sqe.buf_group = 0;
  sqe.user_data = tag(Op::receive, slot);
  connections_[slot].receiving = true;
}

void NullServer::take(const io_uring_cqe& cqe) {
  const auto slot = static_cast<std::uint32_t>(cqe.user_data);
  switch (static_cast<Op>(cqe.user_data >> 32)) {
    case Op::accept: return accepted(cqe);
    case Op::receive: return received(slot, cqe);
    case Op::send:
      // Of a send without a copy the second completion says that its bytes are let go of; ours never change.
      if ((cqe.flags & IORING_CQE_F_NOTIF) == 0) sent(slot, cqe.res);
      return;
    case Op::close: return;
  }
}

void NullServer::accepted(const io_uring_cqe& cqe) {
  if (cqe.res >= 0) {
    const auto slot = static_cast<std::uint32_t>(cqe.res);
    connections_[slot] = {};
    arm_receive(slot);
  }
  if ((cqe.flags & IORING_CQE_F_MORE) == 0) arm_accept();
}

void NullServer::received(std::uint32_t slot, const io_uring_cqe& cqe) {
  Connection& connection = connections_[slot];
  if ((cqe.flags & IORING_CQE_F_BUFFER) != 0) use_buffers(cqe);
  if (cqe.res > 0) {
    connection.account.received(answers_, static_cast<std::uint32_t>(cqe.res));
    touch(slot);
  }
  if ((cqe.flags & IORING_CQE_F_MORE) != 0) return;
  connection.receiving = false;
  if (cqe.res > 0 || cqe.res == -ENOBUFS)
    starved_.push_back(slot);
  else
    end(slot);
}

// A bundle fills buffers that follow each other in the ring, where they are always in the same order.
void NullServer::use_buffers(const io_uring_cqe& cqe) {
  if ((cqe.flags & buffer_more) != 0) return;
  const auto first = static_cast<std::uint16_t>(cqe.flags >> IORING_CQE_BUFFER_SHIFT);
  std::uint32_t count = 1;
  if (tuning_.bundles && cqe.res > 0)
    count = (static_cast<std::uint32_t>(cqe.res) + tuning_.buffer_bytes - 1) / tuning_.buffer_bytes;
  for (std::uint32_t i = 0; i < count; ++i)
    put_buffer(static_cast<std::uint16_t>((first + i) & (tuning_.buffers - 1)));
}

void NullServer::sent(std::uint32_t slot, int result) {
  Connection& connection = connections_[slot];
  connection.sending = false;
  if (result < 0) {
    connection.account.owed = 0;
    if (!connection.receiving) end(slot);
    return;
  }
  if (!tuning_.quiet_sends) connection.account.sent(answers_, static_cast<std::uint32_t>(result));
  if (connection.account.owed != 0)
    touch(slot);
  else if (!connection.receiving)
    end(slot);
}

void NullServer::touch(std::uint32_t slot) {
  if (connections_[slot].touched) return;
  connections_[slot].touched = true;
  touched_.push_back(slot);
}

void NullServer::flush(std::uint32_t slot) {
  Connection& connection = connections_[slot];
  connection.touched = false;
  if (connection.sending || connection.account.owed == 0) return;
  const std::string_view bytes = answers_.bytes(connection.account.place, connection.account.owed);
  io_uring_sqe& sqe = next_entry();
  if (tuning_.zero_copy) {
    io_uring_prep_send_zc(&sqe, static_cast<int>(slot), bytes.data(), bytes.size(), MSG_NOSIGNAL, 0);
  } else if (tuning_.send_message) {
    Message& message = messages_[slot];
    message.part = {.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
    message.header = {};
    message.header.msg_iov = &message.part;
    message.header.msg_iovlen = 1;
    io_uring_prep_sendmsg(&sqe, static_cast<int>(slot), &message.header, MSG_NOSIGNAL);
  } else {
    io_uring_prep_send(&sqe, static_cast<int>(slot), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  if (tuning_.direct) sqe.flags |= IOSQE_FIXED_FILE;
  sqe.user_data = tag(Op::send, slot);
  if (tuning_.quiet_sends) {
    sqe.flags |= IOSQE_CQE_SKIP_SUCCESS;
    sqe.msg_flags |= MSG_WAITALL;
    connection.account.sent(answers_, static_cast<std::uint32_t>(bytes.size()));
  } else {
    connection.sending = true;
  }
}

void NullServer::end(std::uint32_t slot) {
  if (connections_[slot].sending) return;  // Its completion comes back here.
  connections_[slot].account.owed = 0;     // Nothing is flushed to a closed descriptor.
  io_uring_sqe& sqe = next_entry();
  if (tuning_.direct)
    io_uring_prep_close_direct(&sqe, slot);
  else
    io_uring_prep_close(&sqe, static_cast<int>(slot));
  sqe.user_data = tag(Op::close, slot);
}

}  // namespace
}  // namespace millrace::perf

int main(int argc, char** argv) {
  using namespace millrace::perf;
  Arguments arguments(argc, argv);
  if (arguments.flag("--help")) {
    std::puts(
        "limit_uring [--port N] [--cpu N] [--request-bytes N] [--answers N] [--response-bytes N]\n"
        "            [--buffers N] [--buffer-bytes N] [--wait-count N] [--min-wait-us N] [--bundles]\n"
        "            [--incremental] [--direct] [--quiet-sends] [--unregistered] [--coop] [--huge-pages]\n"
        "            [--send-message] [--zero-copy] [--spin]");
    return 0;
  }
  Shape shape;
  Tuning tuning;
  const auto number = [&](const char* name, std::uint32_t otherwise) {
    return static_cast<std::uint32_t>(arguments.number(name, otherwise));
  };
  const auto port = static_cast<std::uint16_t>(arguments.number("--port", 0));
  pin(arguments.number("--cpu", any_cpu));
  shape.request_bytes = number("--request-bytes", shape.request_bytes);
  shape.answers = number("--answers", shape.answers);
  shape.response_bytes = number("--response-bytes", shape.response_bytes);
  tuning.buffers = number("--buffers", tuning.buffers);
  tuning.buffer_bytes = number("--buffer-bytes", tuning.buffer_bytes);
  tuning.wait_count = number("--wait-count", tuning.wait_count);
  tuning.min_wait_us = number("--min-wait-us", tuning.min_wait_us);
  tuning.bundles = arguments.flag("--bundles");
  tuning.incremental = arguments.flag("--incremental");
  tuning.direct = arguments.flag("--direct");
  tuning.quiet_sends = arguments.flag("--quiet-sends");
  tuning.unregistered = arguments.flag("--unregistered");
  tuning.coop = arguments.flag("--coop");
  tuning.huge_pages = arguments.flag("--huge-pages");
  tuning.send_message = arguments.flag("--send-message");
  tuning.zero_copy = arguments.flag("--zero-copy");
  tuning.spin = arguments.flag("--spin");
  arguments.finish();

  const Answers answers(shape);
  const int listener = listen_on(port);
  NullServer server(answers, tuning, listener);
  std::printf("port %u\n", port_of(listener));
  std::fflush(stdout);
  server.run();
}
