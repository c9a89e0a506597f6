// connect.hpp: sockets of a client.
#pragma once

#include <string>
#include <vector>

#include "engine/base/result.hpp"
#include "engine/ext/bench/plan.hpp"
#include "engine/io/backend.hpp"

namespace millrace::bench {

/// A stream socket whose connection is begun, not made: a send through the backend waits for it, and ends
/// with its errno where it fails. Blocking mode and TCP_NODELAY, as the backends want their sockets.
Result<io::Descriptor> begin_connect(const Endpoint& endpoint) noexcept;

/// The first of the endpoints that takes a connection within `patience`; null where none does, and
/// `os_errno` is why the last did not.
const Endpoint* first_that_answers(const std::vector<Endpoint>& endpoints, TimeNs patience,
                                   int& os_errno) noexcept;

}  // namespace millrace::bench
