#include "engine/io/uring/features.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>

#include "engine/io/system.hpp"
#include "engine/io/uring/abi.hpp"
#include "engine/io/uring/buffer_ring.hpp"
#include "engine/io/uring/probe.hpp"
#include "engine/io/uring/ring.hpp"

namespace millrace::io {
namespace {

constexpr std::uint32_t trial_entries = 8;
constexpr std::uint32_t trial_buffers = 4;

bool flag_works(unsigned flags) noexcept {
  io_uring ring{};
  io_uring_params parameters{};
  parameters.flags = flags;
  parameters.cq_entries = 2 * trial_entries;
  if (io_uring_queue_init_params(trial_entries, &ring, &parameters) != 0) return false;
  io_uring_queue_exit(&ring);
  return true;
}

/// A descriptor that is closed where it goes out of scope.
struct Owned {
  int fd = -1;
  ~Owned() {
    if (fd >= 0) close(fd);
  }
};

/// Submits what is queued and gives the flags of its first completion; 0 where it failed.
unsigned flags_of_completion(Ring& ring) noexcept {
  ring.enter(true, monotonic_now() + ns_per_s);
  if (ring.tail() == ring.head()) return 0;
  const io_uring_cqe& cqe = ring.at(ring.head());
  return cqe.res < 0 ? 0 : cqe.flags;
}

bool multishot_receive_works(Ring& ring) noexcept {
  std::array<int, 2> ends;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return false;
  const Owned reader{ends[0]}, writer{ends[1]};
  if (::send(writer.fd, "x", 1, MSG_NOSIGNAL) != 1) return false;
  io_uring_sqe& sqe = ring.next_sqe();
  io_uring_prep_recv_multishot(&sqe, reader.fd, nullptr, 0, 0);
  sqe.flags = IOSQE_BUFFER_SELECT;
  sqe.buf_group = BufferRing::group;
  constexpr unsigned wanted = IORING_CQE_F_MORE | IORING_CQE_F_BUFFER;
  return (flags_of_completion(ring) & wanted) == wanted;
}

bool multishot_accept_works() noexcept {
  Ring ring;
  if (ring.open(trial_entries, 2 * trial_entries) != 0) return false;
  const Owned listener{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const Owned client{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  // Bound with the family alone, a unix socket gets an abstract name that is free.
  socklen_t size_bytes = sizeof(sa_family_t);
  if (bind(listener.fd, generic, size_bytes) != 0 || listen(listener.fd, 1) != 0) return false;
  size_bytes = sizeof address;
  if (getsockname(listener.fd, generic, &size_bytes) != 0) return false;
  if (connect(client.fd, generic, size_bytes) != 0) return false;
  io_uring_prep_multishot_accept(&ring.next_sqe(), listener.fd, nullptr, nullptr, SOCK_CLOEXEC);
  const bool works = (flags_of_completion(ring) & IORING_CQE_F_MORE) != 0;
  if (ring.tail() != ring.head() && ring.at(ring.head()).res >= 0) close(ring.at(ring.head()).res);
  return works;
}

}  // namespace

std::vector<Feature> probe_features() {
  const std::string newer = "run Linux 6.1 or later";
  const std::string unusable = "io_uring cannot be used";
  BufferRing buffers;  // Before the ring, which must end first.
  Ring ring;
  const int ring_failed = ring.open(trial_entries, 2 * trial_entries);
  bool refused = false;
  const int buffers_failed = ring_failed != 0 ? 0 : buffers.open(ring.raw(), trial_buffers, 256, refused);
  const SetupProblem problem =
      problem_of(facts_now(refused ? 0 : ring_failed | buffers_failed, refused ? buffers_failed : 0));
  const std::string mend = problem.cause == Cause::none ? newer : describe(problem);
  const bool received = ring_failed == 0 && buffers_failed == 0 && multishot_receive_works(ring);
  return {
      {"io_uring", flag_works(0), true, unusable, mend},
      {"deferred completions (SINGLE_ISSUER, DEFER_TASKRUN)", ring_failed == 0, true, unusable, mend},
      {"receive buffer ring", ring_failed == 0 && buffers_failed == 0, true, unusable, mend},
      {"multishot accept", multishot_accept_works(), true, unusable, mend},
      {"multishot receive", received, true, unusable, mend},
      {"registered ring", ring_failed == 0 && ring.registered(), false,
       "each wait looks the ring's descriptor up, 10 ns or more", mend},
      {"wait until an absolute time", ring_failed == 0 && ring.absolute_waits(), false,
       "each wait reads the clock once more, about 25 ns", "run Linux 6.12 or later"},
  };
}

}  // namespace millrace::io
