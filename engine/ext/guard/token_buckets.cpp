#include "engine/ext/guard/token_buckets.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace millrace::guard {

TokenBuckets::TokenBuckets(const Rate& rate, std::size_t buckets_min)
    : rate_(rate),
      row_mask_(std::bit_ceil(std::max<std::size_t>(buckets_min, ways) / ways) - 1),
      buckets_(std::make_unique<Bucket[]>((row_mask_ + 1) * ways)) {}

double TokenBuckets::tokens_at(const Bucket& bucket, TimeNs now) const noexcept {
  if (bucket.at == 0) return rate_.burst;
  const double seconds = static_cast<double>(now - bucket.at) / static_cast<double>(ns_per_s);
  return std::min(rate_.burst, bucket.tokens + seconds * rate_.per_second);
}

TimeNs TokenBuckets::take(std::uint64_t hash, TimeNs now) noexcept {
  Bucket* const row = &buckets_[(hash & row_mask_) * ways];
  Bucket* const end = row + ways;
  Bucket* found =
      std::find_if(row, end, [hash](const Bucket& one) { return one.at != 0 && one.hash == hash; });
  if (found == end) {
    found = std::max_element(row, end, [&](const Bucket& left, const Bucket& right) {
      return tokens_at(left, now) < tokens_at(right, now);
    });
    *found = {.hash = hash, .tokens = rate_.burst, .at = now};
  }
  found->tokens = tokens_at(*found, now);
  found->at = now;
  if (found->tokens >= 1) {
    found->tokens -= 1;
    return 0;
  }
  return static_cast<TimeNs>(
      std::ceil((1 - found->tokens) / rate_.per_second * static_cast<double>(ns_per_s)));
}

}  // namespace millrace::guard
