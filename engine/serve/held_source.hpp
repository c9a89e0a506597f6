// held_source.hpp: the body of a Response that is not in memory. Copies of the Response share it, and the
// first one to be sent takes it.
#pragma once

#include <utility>

#include "engine/proto/exchange.hpp"

namespace millrace::detail {

class HeldSource {
 public:
  HeldSource(proto::BodySource* source, std::uint64_t bytes) noexcept : bytes_(bytes), source_(source) {}
  HeldSource(const HeldSource&) = delete;
  HeldSource& operator=(const HeldSource&) = delete;
  ~HeldSource() {
    if (source_ != nullptr) source_->release();
  }
  std::uint64_t bytes() const noexcept { return bytes_; }
  /// Null where a copy was sent before.
  proto::BodySource* take() noexcept { return std::exchange(source_, nullptr); }

 private:
  std::uint64_t bytes_;
  proto::BodySource* source_;
};

}  // namespace millrace::detail
