// backends.hpp: the backend of every core: io_uring, or epoll where that is forbidden; one kind for all.
//
//   each thread: open() -> tries io_uring -> [Backends: have all got it?] -> io_uring for all, or epoll
//
// Owner       the server, for one start. A ring belongs to the thread that made it, so each thread tries,
//             and all wait for each other: the third ring may not fit where two did.
#pragma once

#include <millrace/server.hpp>

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>

#include "engine/io/backend.hpp"
#include "engine/io/uring/probe.hpp"

namespace millrace::serve {

/// What an option `backend` came to.
struct BackendAnswer {
  std::string name;    ///< "io_uring" or "epoll"; empty: it cannot be had.
  std::string reason;  ///< Why not io_uring, and the mend, in one sentence; empty where nobody asks.
};

class Backends {
 public:
  Backends(const ServerOptions& options, std::size_t cores);

  /// On the thread that will use it. Null with a sentence in `problem` where there is none. Waits until
  /// every core has called it or was told absent. `wake` is BackendOptions::wake_descriptor.
  std::unique_ptr<io::IoBackend> open(std::string& problem, io::Descriptor wake = io::no_descriptor) noexcept;
  /// For a core whose thread was not started.
  void absent() noexcept;

  /// Valid once every open() has come back. Any thread.
  BackendAnswer answer() const;

 private:
  void arrive(const io::SetupProblem& why) noexcept;

  const std::string wanted_;
  const io::BackendOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable all_tried_;
  std::size_t awaited_;
  io::SetupProblem why_not_;  ///< The first one's that has no ring.
};

/// Tries what a server of one core would get, and lets go of it. Any thread; takes a millisecond.
BackendAnswer try_backend(const ServerOptions& options);

}  // namespace millrace::serve
