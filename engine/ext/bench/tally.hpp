// tally.hpp: what came of a run: counted by each thread for itself, added up at the end.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/clock.hpp"
#include "engine/ext/bench/histogram.hpp"

namespace millrace::bench {

/// Sentences on what was wrong, each with how often. The first `kinds_max` kinds are kept, and all counted.
class FaultBook {
 public:
  static constexpr std::size_t kinds_max = 12;

  void note(std::string sentence, std::uint64_t times = 1);
  void add(const FaultBook& other);
  std::uint64_t count() const noexcept { return count_; }
  const std::vector<std::pair<std::string, std::uint64_t>>& kinds() const noexcept { return kinds_; }
  std::uint64_t unnamed() const noexcept { return unnamed_; }

 private:
  std::vector<std::pair<std::string, std::uint64_t>> kinds_;
  std::uint64_t count_ = 0;
  std::uint64_t unnamed_ = 0;  ///< Of further kinds.
};

struct Tally {
  std::uint64_t answered = 0;  ///< Whole answers, right or wrong.
  std::uint64_t connected = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t unsent = 0;       ///< Open loop: due when the run ended, and never sent.
  std::uint64_t backlog_max = 0;  ///< Open loop: most requests that were due and waited for a connection.
  std::array<std::uint64_t, 600> statuses{};
  TimeNs began = 0;
  TimeNs ended = 0;
  Histogram latency;  ///< In ns, of every whole answer.
  FaultBook faults;

  void add(const Tally& other);
};

}  // namespace millrace::bench
