// token_buckets.hpp: one core's buckets, in a table of fixed size.
//
// Owner       one thread. O(ways) a request; allocates at construction alone.
// When full   within a row the key with most tokens gives way: a full bucket says no more than none at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "engine/base/clock.hpp"

namespace millrace::guard {

struct Rate {
  double per_second;
  double burst;
};

class TokenBuckets {
 public:
  static constexpr std::size_t ways = 8;  ///< Buckets a row; a key has one row.

  /// buckets_min: at least so many in all.
  TokenBuckets(const Rate& rate, std::size_t buckets_min);

  /// Takes a token of the key with that hash. 0: done; else how long until there is one, in nanoseconds.
  TimeNs take(std::uint64_t hash, TimeNs now) noexcept;

 private:
  struct Bucket {
    std::uint64_t hash = 0;
    double tokens = 0;
    TimeNs at = 0;  ///< When tokens was right; 0: nobody's.
  };

  double tokens_at(const Bucket& bucket, TimeNs now) const noexcept;

  Rate rate_;
  std::size_t row_mask_;
  std::unique_ptr<Bucket[]> buckets_;
};

}  // namespace millrace::guard
