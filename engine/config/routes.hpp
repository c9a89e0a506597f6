// routes.hpp: the configured routes, put into an application, and listed.
#pragma once

#include <millrace/app.hpp>

#include <string>

#include "engine/config/config.hpp"

namespace millrace::config {

/// Adds every route of the configuration. What cannot be served goes to the report.
void add_routes(const Config& config, App& app, Report& report);

/// A table: method, pattern, kind, target.
std::string table_of_routes(const Config& config);

}  // namespace millrace::config
