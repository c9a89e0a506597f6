#include "perf/load/generator.hpp"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "perf/common/arguments.hpp"
#include "perf/common/process.hpp"

namespace millrace::perf {
namespace {

constexpr std::uint32_t buffer_count = 512;
constexpr std::uint32_t buffer_bytes = 16 * 1024;
constexpr std::size_t ring_bytes = buffer_count * sizeof(io_uring_buf);
constexpr double patience_s = 10;  // Without the last answers for so long, the server has lost them.

// User data: the index of a connection, with these bits for what is not a receive.
constexpr std::uint64_t send_bit = 1ull << 40;
constexpr std::uint64_t end_tag = 1ull << 41;
constexpr std::uint64_t give_up_tag = 1ull << 42;

__kernel_timespec timespec_of(double seconds) {
  const auto whole = static_cast<long long>(seconds);
  return {.tv_sec = whole, .tv_nsec = static_cast<long long>((seconds - static_cast<double>(whole)) * 1e9)};
}

void check(int result, const char* what) {
  if (result < 0) fail(std::string("cannot ") + what + ": " + std::strerror(-result));
}

}  // namespace

Generator::Generator(const LoadOptions& options, const Workload& workload, AnswerBook& book)
    : options_(options),
      batch_(workload.requests()),
      book_(book),
      buffer_memory_(std::size_t{buffer_count} * buffer_bytes),
      connections_(workload.connections),
      end_(timespec_of(options.seconds)),
      give_up_(timespec_of(options.seconds + patience_s)) {
  open_ring();
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    const bool other = i % 2 != 0 && options_.other_port != 0;
    connections_[i].descriptor = connect_to(options_.host, other ? options_.other_port : options_.port);
    connections_[i].carry.reserve(buffer_bytes);
  }
}

Generator::~Generator() {
  io_uring_queue_exit(&ring_);
  munmap(buffers_, ring_bytes);
  for (const Connection& connection : connections_) close(connection.descriptor);
}

void Generator::open_ring() {
  io_uring_params parameters{};
  parameters.flags =
      IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL;
  parameters.cq_entries = 16384;
  check(io_uring_queue_init_params(4096, &ring_, &parameters), "open a ring");
  check(io_uring_register_ring_fd(&ring_), "register the ring");
  void* entries = mmap(nullptr, ring_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (entries == MAP_FAILED) fail("no memory for the buffers");
  buffers_ = static_cast<io_uring_buf_ring*>(entries);
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(entries);
  registration.ring_entries = buffer_count;
  check(io_uring_register_buf_ring(&ring_, &registration, 0), "register the buffers");
  for (std::uint32_t id = 0; id < buffer_count; ++id)
    io_uring_buf_ring_add(buffers_, buffer_memory_.data() + std::size_t{id} * buffer_bytes, buffer_bytes,
                          static_cast<std::uint16_t>(id), io_uring_buf_ring_mask(buffer_count),
                          static_cast<int>(id));
  io_uring_buf_ring_advance(buffers_, buffer_count);
}

io_uring_sqe& Generator::next_entry() {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  while (sqe == nullptr) {
    check(io_uring_submit(&ring_), "submit");
    sqe = io_uring_get_sqe(&ring_);
  }
  return *sqe;
}

void Generator::arm_receive(std::uint32_t index) {
  io_uring_sqe& sqe = next_entry();
  io_uring_prep_recv_multishot(&sqe, connections_[index].descriptor, nullptr, 0, 0);
  sqe.flags |= IOSQE_BUFFER_SELECT;
  sqe.buf_group = 0;
  sqe.user_data = index;
}

void Generator::arm_timer(std::uint64_t tag, const __kernel_timespec& after) {
  io_uring_sqe& sqe = next_entry();
  io_uring_prep_timeout(&sqe, const_cast<__kernel_timespec*>(&after), 0, 0);
  sqe.user_data = tag;
}

// MSG_WAITALL: the kernel goes on after a short send, and only a failure has a completion.
void Generator::send_batch(std::uint32_t index) {
  io_uring_sqe& sqe = next_entry();
  io_uring_prep_send(&sqe, connections_[index].descriptor, batch_.data(), batch_.size(),
                     MSG_NOSIGNAL | MSG_WAITALL);
  sqe.flags |= IOSQE_CQE_SKIP_SUCCESS;
  sqe.user_data = send_bit | index;
}

void Generator::run() {
  arm_timer(end_tag, end_);
  arm_timer(give_up_tag, give_up_);
  for (std::uint32_t i = 0; i < connections_.size(); ++i) {
    arm_receive(i);
    send_batch(i);
  }
  while (idle_ != connections_.size()) {
    const int result =
        options_.spin ? io_uring_submit_and_get_events(&ring_) : io_uring_submit_and_wait(&ring_, 1);
    if (result < 0 && result != -EINTR && result != -EBUSY) check(result, "wait");
    unsigned head = 0;
    unsigned count = 0;
    io_uring_cqe* cqe = nullptr;
    io_uring_for_each_cqe(&ring_, head, cqe) {
      ++count;
      take(*cqe);
    }
    io_uring_cq_advance(&ring_, count);
    if (buffers_put_ != 0) io_uring_buf_ring_advance(buffers_, buffers_put_);
    buffers_put_ = 0;
  }
}

void Generator::take(const io_uring_cqe& cqe) {
  if (cqe.user_data == end_tag) {
    stopping_ = true;
  } else if (cqe.user_data == give_up_tag) {
    fail(std::to_string(connections_.size() - idle_) + " connections wait for answers that do not come");
  } else if ((cqe.user_data & send_bit) != 0) {
    fail(std::string("cannot send: ") + std::strerror(-cqe.res));
  } else {
    received(static_cast<std::uint32_t>(cqe.user_data), cqe);
  }
}

void Generator::received(std::uint32_t index, const io_uring_cqe& cqe) {
  if (cqe.res > 0) {
    const auto id = static_cast<std::uint16_t>(cqe.flags >> IORING_CQE_BUFFER_SHIFT);
    char* bytes = buffer_memory_.data() + std::size_t{id} * buffer_bytes;
    read_answers(connections_[index], {bytes, static_cast<std::size_t>(cqe.res)});
    io_uring_buf_ring_add(buffers_, bytes, buffer_bytes, id, io_uring_buf_ring_mask(buffer_count),
                          buffers_put_++);
    if (connections_[index].next == book_.depth()) batch_answered(index);
  } else if (cqe.res != -ENOBUFS) {
    fail(cqe.res == 0 ? "the server closed a connection"
                      : std::string("cannot receive: ") + std::strerror(-cqe.res));
  }
  if ((cqe.flags & IORING_CQE_F_MORE) == 0) arm_receive(index);
}

void Generator::read_answers(Connection& connection, std::string_view bytes) {
  if (connection.carry.empty()) {
    const std::size_t consumed = consume(connection, bytes);
    if (consumed != bytes.size()) connection.carry = bytes.substr(consumed);
  } else {
    connection.carry += bytes;
    connection.carry.erase(0, consume(connection, connection.carry));
  }
}

std::size_t Generator::consume(Connection& connection, std::string_view bytes) {
  std::size_t at = 0;
  while (at != bytes.size()) {
    if (connection.next == book_.depth()) fail("more answers than requests");
    const std::optional<std::size_t> size = book_.take(connection.next, bytes.substr(at));
    if (!size) fail("wrong answer: " + book_.problem());
    if (*size == 0) break;
    at += *size;
    ++connection.next;
    ++answered_;
  }
  return at;
}

void Generator::batch_answered(std::uint32_t index) {
  Connection& connection = connections_[index];
  connection.next = 0;
  if (options_.requests != 0 && answered_ >= options_.requests) stopping_ = true;
  if (!stopping_) return send_batch(index);
  if (connection.idle) return;
  connection.idle = true;
  ++idle_;
}

}  // namespace millrace::perf
