// serve.hpp: from a configuration to a server that runs until a signal ends it.
#pragma once

#include <millrace/app.hpp>

#include "engine/config/config.hpp"
#include "engine/config/routes.hpp"

namespace millrace::config {

/// files: that HUP reads again.
/// Serves `app` until TERM, INT or QUIT, and drains. Says on standard output where it listens.
/// Returns the exit status: 0 after a drain, 1 where it could not start (the reason is printed).
int serve(App& app, const Config& config, const SecretFiles& files);

}  // namespace millrace::config
