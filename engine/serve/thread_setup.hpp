// thread_setup.hpp: what the thread of a core sets up for itself before anything else.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/io/backend.hpp"

namespace millrace::serve {

/// The CPUs this process may run on; a single -1 where that is not known.
std::vector<int> allowed_cpus();

/// -1: does nothing.
void pin_this_thread(int cpu) noexcept;

/// sendfile(2) cannot be told MSG_NOSIGNAL: that a client has left must not end a program which left the
/// signal as it was.
void block_broken_pipes() noexcept;

/// Gives this thread a descriptor table of its own, so that RLIMIT_NOFILE bounds it alone. It begins as a copy
/// of the process's. Of the cores' listeners all but those of core `own` are closed in it, since a socket lives on
/// for as long as any table has it. An empty string, or one sentence that says what failed and how to mend it.
std::string own_descriptors(std::span<const std::vector<io::Descriptor>> listeners, std::size_t own);

}  // namespace millrace::serve
