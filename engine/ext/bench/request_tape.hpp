// request_tape.hpp: the planned requests in a row, so that any batch of them is one span of bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/ext/bench/plan.hpp"

namespace millrace::bench {

class RequestTape {
 public:
  /// The requests of a plan, repeated until a batch of `pipeline` can begin at each of them.
  explicit RequestTape(const Plan& plan) : kinds_(plan.requests.size()) {
    const std::size_t slots = kinds_ + plan.pipeline - 1;
    for (std::size_t slot = 0; slot != slots; ++slot) {
      starts_.push_back(bytes_.size());
      bytes_ += plan.requests[slot % kinds_].bytes;
    }
    starts_.push_back(bytes_.size());
  }

  /// Bytes of a tape, before it is made.
  static std::uint64_t bytes_of(const Plan& plan) noexcept {
    std::uint64_t once = 0;
    for (const PlannedRequest& request : plan.requests) once += request.bytes.size();
    return once * (1 + plan.pipeline / plan.requests.size());
  }

  std::size_t kinds() const noexcept { return kinds_; }
  /// Requests first .. first + count - 1; first < kinds(), count <= the pipeline. Valid as long as the tape.
  std::string_view batch(std::size_t first, std::size_t count) const noexcept {
    return std::string_view(bytes_).substr(starts_[first], starts_[first + count] - starts_[first]);
  }

 private:
  std::size_t kinds_;
  std::string bytes_;
  std::vector<std::size_t> starts_;
};

}  // namespace millrace::bench
