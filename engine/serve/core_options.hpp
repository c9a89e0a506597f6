// core_options.hpp: from the server's options to those of one core.
#pragma once

#include <millrace/server.hpp>

#include <string>

#include "engine/io/backend.hpp"
#include "engine/serve/core.hpp"

namespace millrace::serve {

io::BackendOptions backend_options(const ServerOptions& options) noexcept;

/// `problem` gets a sentence when MILLRACE_ISA names a kernel that this processor lacks.
CoreOptions core_options(const ServerOptions& options, std::size_t cores, std::string& problem);

}  // namespace millrace::serve
