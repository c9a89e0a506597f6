#include "engine/ext/bench/histogram.hpp"

#include <cmath>

namespace millrace::bench {

/// The least value of a bucket; the inverse of bucket_of().
std::uint64_t Histogram::first_of(std::size_t bucket) noexcept {
  if (bucket < 1u << exact_bits) return bucket;
  const std::size_t half = std::size_t{1} << (exact_bits - 1);
  const std::size_t shift = bucket / half - 1;
  return static_cast<std::uint64_t>(bucket - shift * half) << shift;
}

void Histogram::add(const Histogram& other) noexcept {
  for (std::size_t i = 0; i != counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

std::uint64_t Histogram::percentile(std::uint32_t per_100k) const noexcept {
  constexpr std::uint64_t whole = 100'000;
  const std::uint64_t wanted = std::max<std::uint64_t>(1, (count_ * per_100k + whole - 1) / whole);
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket != counts_.size(); ++bucket) {
    seen += counts_[bucket];
    // The top bucket also holds what is greater than any bucket: only the maximum is known of it.
    if (seen >= wanted) return bucket + 1 == counts_.size() ? max_ : std::min(first_of(bucket + 1) - 1, max_);
  }
  return 0;
}

double Histogram::mean() const noexcept {
  return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
}

double Histogram::deviation() const noexcept {
  if (count_ == 0) return 0;
  const double middle = mean();
  double squares = 0;
  for (std::size_t bucket = 0; bucket != counts_.size(); ++bucket) {
    if (counts_[bucket] == 0) continue;
    const double value = static_cast<double>(first_of(bucket) + first_of(bucket + 1) - 1) / 2;
    squares += (value - middle) * (value - middle) * static_cast<double>(counts_[bucket]);
  }
  return std::sqrt(squares / static_cast<double>(count_));
}

}  // namespace millrace::bench
