// fuzz_config.cpp: a configuration file of any bytes is read, or refused with a message for each problem.
//
// Property    what is accepted, printed and read again is the same configuration.
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/assert.hpp"
#include "engine/config/config.hpp"

namespace {

/// Without where each value came from.
std::string printed_alone(millrace::config::Config& config) {
  config.origins = {};
  for (millrace::config::RouteConfig& route : config.routes) route.line = 0;
  return print(config, "io_uring");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace millrace::config;
  Config config;
  Report report;
  apply_file_text({reinterpret_cast<const char*>(data), size}, "a.toml", config, report);
  for (const std::string& problem : report.problems) MR_ASSERT(problem.starts_with("a.toml"));
  if (!report.problems.empty()) return 0;
  const std::string printed = printed_alone(config);
  Config again;
  Report clean;
  apply_file_text(printed, "a.toml", again, clean);
  MR_ASSERT(clean.problems.empty());
  MR_ASSERT(printed_alone(again) == printed);
  return 0;
}
