#include <millrace/middleware/rate_limit.hpp>

#include <sys/random.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/assert.hpp"
#include "engine/ext/guard/token_buckets.hpp"
#include "engine/proto/exchange.hpp"
#include "engine/serve/peer.hpp"
#include "engine/serve/scheduler.hpp"

namespace millrace {
namespace guard {
namespace {

__extension__ using Wide = unsigned __int128;

std::atomic<std::uint64_t> limiters_made{0};

/// Keyed by what no client knows, so that none can fill another one's row. Multiplies and folds eight bytes at a time.
std::uint64_t hash_of(std::string_view text, std::uint64_t seed) noexcept {
  const auto fold = [](std::uint64_t a, std::uint64_t b) {
    const auto product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  };
  std::uint64_t state = seed ^ text.size();
  while (!text.empty()) {
    std::uint64_t word = 0;
    const std::size_t size = std::min(text.size(), sizeof word);
    std::memcpy(&word, text.data(), size);
    state = fold(state ^ word, seed | 1) + 0x9e37'79b9'7f4a'7c15;
    text.remove_prefix(size);
  }
  return fold(state, seed | 1);
}

}  // namespace

/// What the cores share: nothing but the numbers. Each has a table of its own, for as long as its thread lives.
class Limiter {
 public:
  Limiter(const Rate& rate, std::size_t keys) : id_(++limiters_made), rate_(rate), keys_(keys) {
    if (::getrandom(&seed_, sizeof seed_, 0) != sizeof seed_) seed_ = reinterpret_cast<std::uintptr_t>(this);
  }

  TimeNs take(std::string_view key) {
    return table_of_this_thread().take(hash_of(key, seed_), serve::Scheduler::current()->now());
  }

 private:
  struct Owned {
    std::uint64_t limiter;
    std::unique_ptr<TokenBuckets> buckets;
  };

  TokenBuckets& table_of_this_thread() {
    thread_local std::vector<Owned> tables;
    for (const Owned& one : tables) {
      if (one.limiter == id_) return *one.buckets;
    }
    return *tables.emplace_back(Owned{id_, std::make_unique<TokenBuckets>(rate_, keys_)}).buckets;
  }

  const std::uint64_t id_;
  const Rate rate_;
  const std::size_t keys_;
  std::uint64_t seed_ = 0;
};

}  // namespace guard

namespace {

constexpr double slowest_per_second = 1.0 / 86'400;

std::string client_of(const Request& request) {
  return std::string(serve::network_of(serve::peer_of(request.exchange().descriptor)));
}

}  // namespace

RateLimit::RateLimit(RateLimitOptions options)
    : limiter_(std::make_shared<guard::Limiter>(
          guard::Rate{std::max(options.per_second, slowest_per_second), std::max(options.burst, 1.0)},
          options.keys)),
      key_(options.key ? std::move(options.key) : client_of) {}

std::optional<Response> RateLimit::before(Request& request) const {
  const std::string key = key_(request);
  if (key.empty()) return std::nullopt;
  const TimeNs wait = limiter_->take(key);
  if (wait == 0) return std::nullopt;
  return Response("429 Too Many Requests\n")
      .status(429)
      .header("Retry-After", std::to_string((wait + ns_per_s - 1) / ns_per_s));
}

}  // namespace millrace
