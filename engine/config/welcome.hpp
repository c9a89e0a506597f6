// welcome.hpp: what is served where nothing was configured.
#pragma once

#include "engine/config/config.hpp"

namespace millrace::config {

/// Where no route is configured: ./public if that is a directory, else a page that says how to go on.
void add_default_route(Config& config);

}  // namespace millrace::config
