// routes.hpp: the configured routes, put into an application, and listed.
#pragma once

#include <millrace/app.hpp>

#include <memory>
#include <string>
#include <vector>

#include "engine/config/config.hpp"
#include "engine/ext/guard/secret_files.hpp"

namespace millrace::config {

/// The files of `auth`, each once.
using SecretFiles = std::vector<std::shared_ptr<guard::SecretFile>>;

/// Adds every route of the configuration. What cannot be served goes to the report.
SecretFiles add_routes(const Config& config, App& app, Report& report);

/// A table: method, pattern, kind, target.
std::string table_of_routes(const Config& config);

}  // namespace millrace::config
