#include "engine/ext/bench/histogram.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using millrace::bench::Histogram;

TEST_CASE("Histogram: nothing recorded") {
  const Histogram empty;
  CHECK(empty.percentile(50'000) == 0);
  CHECK(empty.min() == 0);
  CHECK(empty.max() == 0);
  CHECK(empty.mean() == 0);
}

// Goal: order statistics. Method: the value of that rank in a sorted copy, for values on both sides of
// every doubling; the histogram may be above it by a thousandth, never below.
TEST_CASE("Histogram: percentiles agree with the sorted values to three digits") {
  std::vector<std::uint64_t> values;
  std::uint64_t state = 1;
  for (int i = 0; i != 20'000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    values.push_back((state >> 33) >> (state >> 59));
  }
  for (unsigned bit = 0; bit != 42; ++bit)
    for (const std::uint64_t value : {(1ull << bit) - 1, 1ull << bit, (1ull << bit) + 1})
      values.push_back(value);
  Histogram histogram;
  for (const std::uint64_t value : values) histogram.record(value);
  std::sort(values.begin(), values.end());
  for (const std::uint32_t per_100k :
       {0u, 1u, 1000u, 25'000u, 50'000u, 90'000u, 99'000u, 99'900u, 99'999u, 100'000u}) {
    CAPTURE(per_100k);
    const std::size_t rank = std::max<std::size_t>(1, (values.size() * per_100k + 99'999) / 100'000);
    const std::uint64_t want = values[rank - 1];
    CHECK(histogram.percentile(per_100k) >= want);
    CHECK(histogram.percentile(per_100k) <= want + want / 1000);
  }
  CHECK(histogram.min() == values.front());
  CHECK(histogram.max() == values.back());
  CHECK(histogram.count() == values.size());
}

TEST_CASE("Histogram: the maximum is exact, also beyond what the buckets reach") {
  Histogram histogram;
  histogram.record(5, 3);
  histogram.record(Histogram::value_max * 4);
  CHECK(histogram.percentile(75'000) == 5);
  CHECK(histogram.percentile(100'000) == Histogram::value_max * 4);
  CHECK(histogram.max() == Histogram::value_max * 4);
}

TEST_CASE("Histogram: a sum of two is what one would have been") {
  Histogram one, two, both;
  for (std::uint64_t i = 1; i != 1000; ++i) {
    (i % 3 == 0 ? one : two).record(i * i, i % 5);
    both.record(i * i, i % 5);
  }
  one.add(two);
  CHECK(one.count() == both.count());
  CHECK(one.min() == both.min());
  CHECK(one.max() == both.max());
  CHECK(one.mean() == both.mean());
  for (std::uint32_t p = 0; p <= 100'000; p += 500) CHECK(one.percentile(p) == both.percentile(p));
}

TEST_CASE("Histogram: mean and deviation") {
  Histogram histogram;
  histogram.record(100, 2);
  histogram.record(300, 2);
  CHECK(histogram.mean() == 200);
  CHECK(histogram.deviation() == 100);
}
