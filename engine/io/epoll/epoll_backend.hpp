// epoll_backend.hpp: IoBackend on epoll, for machines that forbid io_uring or are too old for it.
#pragma once

#include <memory>

#include "engine/base/result.hpp"
#include "engine/io/backend.hpp"

namespace millrace::io {

/// Opens an epoll instance and its buffers. Every call but wake() from one thread at a time. The queues
/// of `options` are not used: a socket has room for its own completions. Accepted sockets are
/// close-on-exec; a listener is made non-blocking. The error has `os_errno`.
/// The caller keeps to this: the operations of a slot are on one descriptor, until it is closed.
Result<std::unique_ptr<IoBackend>> make_epoll(const BackendOptions& options) noexcept;

}  // namespace millrace::io
