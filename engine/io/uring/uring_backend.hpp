// uring_backend.hpp: IoBackend on the kernel's io_uring, Linux 6.1 and later.
#pragma once

#include <memory>

#include "engine/base/result.hpp"
#include "engine/io/backend.hpp"
#include "engine/io/uring/probe.hpp"

namespace millrace::io {

/// Opens a ring and its buffers. Call it on the thread that will use the backend and destroy it: the
/// kernel refuses every other one, wake() excepted. Accepted sockets are close-on-exec.
/// On failure `why` (may be null) holds the cause, for describe().
Result<std::unique_ptr<IoBackend>> make_uring(const BackendOptions& options, SetupProblem* why) noexcept;

}  // namespace millrace::io
