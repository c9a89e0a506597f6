// histogram.hpp: latencies counted in buckets that grow with the value, so that three digits hold from a
// microsecond to an hour in a fixed 270 KiB.
//
// A value below 2,048 has a bucket of its own; above, each doubling of the value shares 1,024 buckets,
// so that a bucket is at most 1/1024 of its value wide. Minimum, maximum and sum are exact.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace millrace::bench {

class Histogram {
 public:
  static constexpr unsigned exact_bits = 11;                    ///< Values below 2^11 are counted exactly.
  static constexpr std::uint64_t value_max = (1ull << 42) - 1;  ///< 73 minutes in ns; beyond counts there.

  Histogram() : counts_(bucket_of(value_max) + 1) {}

  /// Counts a value so many times. O(1); never allocates.
  void record(std::uint64_t value, std::uint64_t times = 1) noexcept {
    if (times == 0) return;
    counts_[bucket_of(std::min(value, value_max))] += times;
    count_ += times;
    sum_ += value * times;
    min_ = std::min(min_, value);
    max_ = std::max(max_, value);
  }
  void add(const Histogram& other) noexcept;

  /// The least value that `per_100k` of 100,000 recorded ones do not exceed, rounded up to the end of its
  /// bucket and never beyond max(). 0 where nothing was recorded. O(buckets).
  std::uint64_t percentile(std::uint32_t per_100k) const noexcept;

  std::uint64_t count() const noexcept { return count_; }
  std::uint64_t min() const noexcept { return count_ == 0 ? 0 : min_; }
  std::uint64_t max() const noexcept { return max_; }
  double mean() const noexcept;
  double deviation() const noexcept;  ///< Of the population, from the buckets' middles.

 private:
  static constexpr std::size_t bucket_of(std::uint64_t value) noexcept {
    if (value < 1ull << exact_bits) return value;
    const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - exact_bits;
    return (std::size_t{shift} << (exact_bits - 1)) + (value >> shift);
  }
  static std::uint64_t first_of(std::size_t bucket) noexcept;

  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t min_ = ~std::uint64_t{0};
  std::uint64_t max_ = 0;
};

}  // namespace millrace::bench
