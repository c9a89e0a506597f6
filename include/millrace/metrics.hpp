// metrics.hpp: what a server counts, for Prometheus and what else reads its text format.
//
//   app.get("/metrics", mr::metrics());
//
// Whoever can ask may know how busy the server is: put it behind authentication, or on a host of its own.
#pragma once

#include <millrace/namespace.hpp>
#include <millrace/response.hpp>

#include <string>
#include <string_view>

namespace millrace {

inline constexpr std::string_view metrics_type = "text/plain; version=0.0.4; charset=utf-8";

/// The counters of ServerStats, summed over the cores, of the server whose handler calls it. Only within a handler.
/// Reads what each core published at the end of its last turn: no request waits for it.
std::string metrics_text();

/// A handler that answers with them.
inline auto metrics() {
  return [] { return Response().bytes(metrics_text(), metrics_type); };
}

}  // namespace millrace
