// route_entry.hpp: the handlers behind `respond` and `redirect`.
#pragma once

#include <millrace/detail/bridge.hpp>

#include "engine/config/config.hpp"

namespace millrace::config {

/// An answer serialised once, here.
detail::Entry make_respond_entry(const RouteConfig& route);

/// The counters of the server that it runs in.
detail::Entry make_metrics_entry();

/// A Location; the request's query goes with it where the target of the redirect has none.
detail::Entry make_redirect_entry(const RouteConfig& route);

}  // namespace millrace::config
