// version.hpp: what this build is.
#pragma once

#include <string>

namespace millrace::config {

/// "millrace 0.1.0\n"; with `features` also the kernels, the libraries, the backend and
/// io_uring's features.
std::string version_text(bool features);

}  // namespace millrace::config
