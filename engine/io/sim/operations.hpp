// operations.hpp: the operations under way in a simulated backend, and the contract of each.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/io/backend.hpp"

namespace millrace::io::sim {

struct Operation {
  Token token;
  std::uint64_t serial = 0;  ///< Tells it from a later one with the same token.
  Descriptor descriptor = no_descriptor;
  std::span<const iovec> parts;     ///< Of a send: the caller's table.
  const FileSlice* file = nullptr;  ///< Of a send: behind the parts.
  bool alert = false;               ///< Of a send: no content.
  std::uint64_t parts_hash = 0;     ///< Of the table and the bytes, when the send was started.
  TimeNs last_due = 0;              ///< Of its completions: they come in order.
  bool started = false;             ///< Submitted: from here on it may complete.
  bool ended = false;               ///< Its last completion is on the way.
};

/// Who breaks a rule of backend.hpp meets an assert here.
class Operations {
 public:
  Operation& add(Token token, Descriptor descriptor);
  /// Null where it has ended or never was.
  Operation* find(Token token) noexcept;
  /// Of that kind on that descriptor, started and not ended; null where there is none.
  Operation* active(Descriptor descriptor, Op op) noexcept;
  /// The operation whose last completion is about to reach the caller; null where there is none.
  Operation* find_ended(Token token) noexcept;
  /// Its last completion reached the caller.
  void remove(Operation& operation) noexcept;

  std::size_t count() const noexcept { return all_.size(); }
  std::size_t count(Descriptor descriptor) const noexcept;

 private:
  static constexpr std::size_t kinds = 5;
  struct OfDescriptor {
    Operation* of[kinds] = {};
    std::size_t count = 0;
  };
  std::unordered_map<std::uint64_t, Operation> all_;
  std::uint64_t serial_ = 0;
  std::vector<OfDescriptor> descriptors_;
};

/// Changes with any byte of the parts or of the table itself.
std::uint64_t hash_of(std::span<const iovec> parts) noexcept;
/// Of the bytes alone: the same in every run.
std::uint64_t hash_of_content(std::span<const iovec> parts) noexcept;
std::uint64_t hash_of(const void* bytes, std::size_t size_bytes, std::uint64_t hash) noexcept;

}  // namespace millrace::io::sim
