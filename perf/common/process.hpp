// process.hpp: what every measuring program sets up for itself.
#pragma once

#include <cstdint>
#include <string>

namespace millrace::perf {

inline constexpr std::uint64_t any_cpu = ~std::uint64_t{0};

/// Runs this process on that CPU alone.
void pin(std::uint64_t cpu);

/// Raises RLIMIT_NOFILE to what is allowed and returns it.
std::uint64_t open_files_max();

/// A listening TCP socket on 127.0.0.1 with TCP_NODELAY, which accepted sockets inherit. Port 0: any.
int listen_on(std::uint16_t port);
std::uint16_t port_of(int listener);

/// A connected TCP socket with TCP_NODELAY, blocking.
int connect_to(const std::string& host, std::uint16_t port);

/// Sets one option of type int.
void set_option(int descriptor, int level, int option, int value);

}  // namespace millrace::perf
