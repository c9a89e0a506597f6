#include "engine/config/run.hpp"

#include <cstdio>

#include <fmt/format.h>

#include "engine/base/assert.hpp"
#include "engine/config/backend_here.hpp"
#include "engine/config/bench.hpp"
#include "engine/config/command_line.hpp"
#include "engine/config/doctor.hpp"
#include "engine/config/routes.hpp"
#include "engine/config/serve.hpp"
#include "engine/config/version.hpp"
#include "engine/config/welcome.hpp"

namespace millrace::config {
namespace {

constexpr int exit_refused = 1;
constexpr int exit_usage = 2;

int print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  return std::fflush(stdout) == 0 ? 0 : exit_refused;
}

int tell_usage(const CommandLine& line) {
  if (line.help) return print(line.text);
  std::fputs((line.text + "\n").c_str(), stderr);
  return exit_usage;
}

/// False where nothing may be started.
bool tell(const Report& report) {
  for (const std::string& warning : report.warnings)
    std::fputs(fmt::format("warning: {}\n", warning).c_str(), stderr);
  for (const std::string& problem : report.problems) std::fputs((problem + "\n").c_str(), stderr);
  return report.problems.empty();
}

int examine_machine(const CommandLine& line) {
  Report unheard;  // A bad configuration is for `check` to tell; the machine is judged all the same.
  const Config config = load(line.flags, process_environment(), unheard);
  bool serves = false;
  print(report_of(examine(config.server), serves));
  return serves ? 0 : exit_refused;
}

int run_configured(const CommandLine& line) {
  Report report;
  Config config = load(line.flags, process_environment(), report);
  add_default_route(config);
  App app;
  SecretFiles files;
  if (report.problems.empty()) files = add_routes(config, app, report);
  if (!tell(report)) return exit_usage;
  if (line.command == Command::check)
    return print(line.print ? print(config, backend_here(config.server)) : "ok\n");
  if (line.command == Command::routes) return print(table_of_routes(config));
  return serve(app, config, files);
}

}  // namespace

int run_engine(int argc, char** argv) {
  const CommandLine line = read_command_line(Program::engine, argc, argv);
  if (!line.text.empty()) return tell_usage(line);
  switch (line.command) {
    case Command::version: return print(version_text(line.features));
    case Command::doctor: return examine_machine(line);
    case Command::bench: return run_bench(line.bench);
    case Command::serve:
    case Command::check:
    case Command::routes: return run_configured(line);
  }
  MR_UNREACHABLE("a command outside the enumeration");
}

}  // namespace millrace::config

namespace millrace {

/// The routes of the file come behind the application's own.
int App::run(int argc, char** argv) {
  using namespace config;
  const CommandLine line = read_command_line(Program::application, argc, argv);
  if (!line.text.empty()) return tell_usage(line);
  if (line.command == Command::version) return print(version_text(false));
  Report report;
  const Config config = load(line.flags, process_environment(), report);
  SecretFiles files;
  if (report.problems.empty()) files = add_routes(config, *this, report);
  return tell(report) ? config::serve(*this, config, files) : exit_usage;
}

}  // namespace millrace
