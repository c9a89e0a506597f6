// abi.hpp: kernel constants that liburing 2.3 does not name yet. Their values are stable kernel ABI.
#pragma once

#include <liburing.h>

#include <cstdint>

namespace millrace::io::abi {

/// Linux 6.12: io_uring_enter() takes an absolute time to wait until, so that no clock is read.
inline constexpr unsigned enter_abs_timer = 1u << 5;

/// Linux 6.12: came with the same release as enter_abs_timer, which has no feature bit of its own.
inline constexpr unsigned feature_min_timeout = 1u << 15;

/// The oldest kernel the engine runs on: the first with IORING_SETUP_DEFER_TASKRUN.
inline constexpr unsigned floor_major = 6;
inline constexpr unsigned floor_minor = 1;

/// What every ring of the engine is set up with; all of it is in the floor.
/// SINGLE_ISSUER and DEFER_TASKRUN: completions are prepared when the core asks for them, never
/// by interrupting it. SUBMIT_ALL: a refused submission does not hold back those behind it.
inline constexpr unsigned ring_flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                                       IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_SUBMIT_ALL;

}  // namespace millrace::io::abi
