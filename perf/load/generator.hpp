// generator.hpp: a closed loop of connections on one ring.
//
//   send a batch -> receive -> check every answer -> (all there) send the next batch
//
// Cheaper a request than any server, so that the server is what is measured: one send a batch without
// a completion, multishot receives into provided buffers, no clock on the way.
#pragma once

#include <liburing.h>

#include <cstdint>
#include <string>
#include <vector>

#include "perf/load/answer.hpp"

namespace millrace::perf {

struct LoadOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::uint16_t other_port = 0;  ///< Of every second connection, if not 0.
  double seconds = 2;
  std::uint64_t requests = 0;  ///< Stop after so many, whole batches, if not 0.
  bool spin = false;           ///< Poll in place of sleeping: the server wakes nobody.
};

class Generator {
 public:
  Generator(const LoadOptions& options, const Workload& workload, AnswerBook& book);
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;
  ~Generator();

  /// Until the time or the count is over and every request sent is answered. Ends the program on a
  /// wrong answer, a lost connection, or when the server stops answering.
  void run();

  std::uint64_t answered() const noexcept { return answered_; }

 private:
  struct Connection {
    int descriptor = -1;
    std::uint32_t next = 0;  ///< Index in the batch of the answer that is due.
    bool idle = false;       ///< Its batch is answered and no further one was sent.
    std::string carry;       ///< The front of an answer whose end has not come.
  };

  void open_ring();
  void arm_receive(std::uint32_t index);
  void arm_timer(std::uint64_t tag, const __kernel_timespec& after);
  void send_batch(std::uint32_t index);
  void take(const io_uring_cqe& cqe);
  void received(std::uint32_t index, const io_uring_cqe& cqe);
  void read_answers(Connection& connection, std::string_view bytes);
  std::size_t consume(Connection& connection, std::string_view bytes);
  void batch_answered(std::uint32_t index);
  io_uring_sqe& next_entry();

  const LoadOptions options_;
  const std::string batch_;
  AnswerBook& book_;
  io_uring ring_{};
  io_uring_buf_ring* buffers_ = nullptr;

  std::vector<char> buffer_memory_;
  std::uint16_t buffers_put_ = 0;
  std::vector<Connection> connections_;
  std::uint64_t answered_ = 0;
  std::size_t idle_ = 0;
  bool stopping_ = false;
  __kernel_timespec end_{};
  __kernel_timespec give_up_{};
};

}  // namespace millrace::perf
