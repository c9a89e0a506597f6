// rate_limit.hpp: how often one client may ask.
//
//   app.use(mr::rate_limit({.per_second = 10, .burst = 20}));
//
// A bucket of tokens a key: each request takes one, and they grow back with time. Without one: 429, with
// Retry-After. Every core counts for itself, because cores share nothing: a client whose connections lie on
// several cores gets the rate on each. Behind a proxy the key is the proxy, unless you name another.
#pragma once

#include <millrace/namespace.hpp>
#include <millrace/request.hpp>
#include <millrace/response.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace millrace {

namespace guard {
class Limiter;
}

struct RateLimitOptions {
  double per_second = 10;  ///< Tokens that grow back. At least one in a day.
  double burst = 20;       ///< Tokens there are at most, and at first. At least 1.
  /// Who asks; an empty key is never limited. Called by all cores at once. Null: the client's address without
  /// its port; of IPv6 the first 64 bits, which are one customer's.
  std::function<std::string(const Request&)> key = {};
  /// Keys a core remembers, 24 bytes each. Past it the one is forgotten that has most tokens: it loses least.
  std::uint32_t keys = 65'536;
};

class RateLimit {
 public:
  explicit RateLimit(RateLimitOptions options);
  std::optional<Response> before(Request& request) const;

 private:
  std::shared_ptr<guard::Limiter> limiter_;
  std::function<std::string(const Request&)> key_;
};

inline RateLimit rate_limit(RateLimitOptions options = {}) { return RateLimit(std::move(options)); }

}  // namespace millrace
