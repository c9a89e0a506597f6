// version.hpp: what this build is.
#pragma once

#include <string>

namespace millrace::config {

/// "millrace 0.1.0\n"; with `features` also the kernels, io_uring's features and the libraries.
std::string version_text(bool features);

}  // namespace millrace::config
