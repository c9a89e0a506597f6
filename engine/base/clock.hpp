// clock.hpp: time as the engine counts it. The backend tells the time (io/backend.hpp), so that a
// simulated core runs on a simulated clock; nothing above it asks the kernel.
#pragma once

#include <cstdint>

namespace millrace {

/// Nanoseconds on the backend's monotonic clock; 0 is never a time that was read.
using TimeNs = std::uint64_t;

inline constexpr TimeNs time_never = ~TimeNs{0};
inline constexpr TimeNs ns_per_ms = 1'000'000;
inline constexpr TimeNs ns_per_s = 1'000'000'000;

}  // namespace millrace
