#include "engine/io/sim/operations.hpp"

#include <cstring>

#include "engine/base/assert.hpp"
#include "engine/io/sim/random.hpp"

namespace millrace::io::sim {

Operation& Operations::add(Token token, Descriptor descriptor) {
  MR_ASSERT(descriptor >= 0);
  const auto [position, fresh] = all_.try_emplace(token.bits());
  MR_ASSERT(fresh);  // Two operations under way with one token could not be told apart.
  Operation& operation = position->second;
  operation.token = token;
  operation.serial = ++serial_;
  operation.descriptor = descriptor;
  if (static_cast<std::size_t>(descriptor) >= descriptors_.size())
    descriptors_.resize(static_cast<std::size_t>(descriptor) + 1);
  OfDescriptor& owner = descriptors_[static_cast<std::size_t>(descriptor)];
  Operation*& place = owner.of[static_cast<std::size_t>(token.op())];
  MR_ASSERT(place == nullptr);  // One of a kind on a descriptor at a time.
  place = &operation;
  ++owner.count;
  return operation;
}

Operation* Operations::find(Token token) noexcept {
  const auto position = all_.find(token.bits());
  return position == all_.end() || position->second.ended ? nullptr : &position->second;
}

Operation* Operations::find_ended(Token token) noexcept {
  const auto position = all_.find(token.bits());
  return position == all_.end() || !position->second.ended ? nullptr : &position->second;
}

Operation* Operations::active(Descriptor descriptor, Op op) noexcept {
  if (static_cast<std::size_t>(descriptor) >= descriptors_.size()) return nullptr;
  Operation* operation = descriptors_[static_cast<std::size_t>(descriptor)].of[static_cast<std::size_t>(op)];
  return operation != nullptr && operation->started && !operation->ended ? operation : nullptr;
}

void Operations::remove(Operation& operation) noexcept {
  OfDescriptor& owner = descriptors_[static_cast<std::size_t>(operation.descriptor)];
  owner.of[static_cast<std::size_t>(operation.token.op())] = nullptr;
  --owner.count;
  all_.erase(operation.token.bits());
}

std::size_t Operations::count(Descriptor descriptor) const noexcept {
  const auto index = static_cast<std::size_t>(descriptor);
  return index < descriptors_.size() ? descriptors_[index].count : 0;
}

std::uint64_t hash_of(const void* bytes, std::size_t size_bytes, std::uint64_t hash) noexcept {
  const char* at = static_cast<const char*>(bytes);
  hash = mix(hash ^ size_bytes);
  for (; size_bytes >= 8; at += 8, size_bytes -= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    hash = mix(hash ^ word);
  }
  std::uint64_t rest = 0;
  if (size_bytes != 0) std::memcpy(&rest, at, size_bytes);  // A file may be sent with no parts before it.
  return mix(hash ^ rest);
}

// The addresses are in it, so that a table that moved or changed is found too; it is not for traces.
std::uint64_t hash_of(std::span<const iovec> parts) noexcept {
  std::uint64_t hash = hash_of(parts.data(), parts.size_bytes(), 1);
  for (const iovec& part : parts) hash = hash_of(part.iov_base, part.iov_len, hash);
  return hash;
}

std::uint64_t hash_of_content(std::span<const iovec> parts) noexcept {
  std::uint64_t hash = 1;
  for (const iovec& part : parts) hash = hash_of(part.iov_base, part.iov_len, hash);
  return hash;
}

}  // namespace millrace::io::sim
