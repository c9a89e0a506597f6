// send_file.cpp: files, whose bytes are real ones, on a simulated network.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "engine/base/assert.hpp"
#include "engine/io/sim/sim_backend.hpp"

namespace millrace::io::sim {

void SimBackend::send_file(Token token, Descriptor descriptor, std::span<const iovec> parts,
                           FileSlice& file) noexcept {
  MR_ASSERT(token.op() == Op::send);
  MR_ASSERT(network_.find(descriptor) != nullptr);
  MR_ASSERT(parts.size() <= 1024);
  MR_ASSERT(file.size_bytes != 0);
  Operation& operation = operations_.add(token, descriptor);
  operation.parts = parts;
  operation.file = &file;
  operation.parts_hash = hash_of(parts);
  submit(operation);
}

// A file has its turn once the parts before it have left; a short send is of them alone.
void SimBackend::pump_file(Operation& operation, Connection& connection) noexcept {
  const FileSlice& file = *operation.file;
  const std::size_t room_bytes = network_.send_room(connection);
  if (room_bytes == 0) {
    ++network_.faults().blocked_sends;
    return;
  }
  if (network_.random().chance(network_.plan().short_send)) {
    ++network_.faults().short_sends;
    return end(operation, -EAGAIN);
  }
  std::string bytes(std::min<std::uint64_t>(file.size_bytes, room_bytes), '\0');
  const ssize_t count = ::pread(file.descriptor, bytes.data(), bytes.size(), static_cast<off_t>(file.offset));
  if (count <= 0) return end(operation, count < 0 ? -errno : -ENODATA);
  bytes.resize(static_cast<std::size_t>(count));
  network_.send(operation.descriptor, bytes);
  end(operation, static_cast<std::int32_t>(count));
}

}  // namespace millrace::io::sim
