// system.hpp: the plain system calls that every backend of the kernel shares.
#pragma once

#include "engine/base/clock.hpp"
#include "engine/io/backend.hpp"

namespace millrace::io {

/// CLOCK_MONOTONIC, the clock the kernel's waits use.
TimeNs monotonic_now() noexcept;

/// Adds one to the counter of an eventfd. Any thread.
void signal_event(int event_fd) noexcept;

/// IoBackend::close(), peer_address() and unacknowledged_bytes() for file descriptors.
void close_socket(Descriptor descriptor, bool reset) noexcept;
bool peer_address_of(Descriptor descriptor, sockaddr_storage& out) noexcept;
std::size_t unacknowledged_bytes_of(Descriptor descriptor) noexcept;

}  // namespace millrace::io
