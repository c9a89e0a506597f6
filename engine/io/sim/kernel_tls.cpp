// kernel_tls.cpp: the TLS of the simulated kernel, whose records the test makes.
#include "engine/base/assert.hpp"
#include "engine/io/sim/sim_backend.hpp"

namespace millrace::io::sim {

// As Linux, which wants the connection whole.
bool SimBackend::attach(Descriptor descriptor) noexcept {
  Connection* connection = network_.find(descriptor);
  MR_ASSERT(connection != nullptr && !connection->tls_attached);
  connection->tls_attached = !connection->end_arrived && !connection->reset_at_server;
  return connection->tls_attached;
}

bool SimBackend::seal(Descriptor descriptor, std::span<const char> keys) noexcept {
  Connection* connection = network_.find(descriptor);
  MR_ASSERT(connection != nullptr && connection->tls_attached && !connection->sealer);
  MR_ASSERT(operations_.active(descriptor, Op::send) == nullptr);
  connection->sealer = make_sealer_(keys);
  return connection->sealer != nullptr;
}

}  // namespace millrace::io::sim
