#include "engine/config/backend_here.hpp"

#include <fmt/format.h>

#include "engine/serve/backends.hpp"

namespace millrace::config {

std::string backend_here(const ServerOptions& options) {
  const serve::BackendAnswer answer = serve::try_backend(options);
  const std::string name = answer.name.empty() ? "none" : answer.name;
  return answer.reason.empty() ? name : fmt::format("{}, because {}", name, answer.reason);
}

}  // namespace millrace::config
