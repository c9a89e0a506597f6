#include "engine/ext/bench/tally.hpp"

#include <algorithm>

namespace millrace::bench {

void FaultBook::note(std::string sentence, std::uint64_t times) {
  count_ += times;
  const auto known =
      std::find_if(kinds_.begin(), kinds_.end(), [&](const auto& k) { return k.first == sentence; });
  if (known != kinds_.end()) {
    known->second += times;
  } else if (kinds_.size() < kinds_max) {
    kinds_.emplace_back(std::move(sentence), times);
  } else {
    unnamed_ += times;
  }
}

void FaultBook::add(const FaultBook& other) {
  for (const auto& [sentence, times] : other.kinds_) note(sentence, times);
  count_ += other.unnamed_;
  unnamed_ += other.unnamed_;
}

void Tally::add(const Tally& other) {
  answered += other.answered;
  connected += other.connected;
  received_bytes += other.received_bytes;
  unsent += other.unsent;
  backlog_max += other.backlog_max;  // Each thread has requests of its own.
  for (std::size_t i = 0; i != statuses.size(); ++i) statuses[i] += other.statuses[i];
  began = began == 0 ? other.began : std::min(began, other.began);
  ended = std::max(ended, other.ended);
  latency.add(other.latency);
  faults.add(other.faults);
}

}  // namespace millrace::bench
