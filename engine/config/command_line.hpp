// command_line.hpp: what was asked for on the command line.
#pragma once

#include <cstdint>
#include <string>

#include "engine/config/bench_flags.hpp"
#include "engine/config/config.hpp"

namespace millrace::config {

enum class Command : std::uint8_t { serve, check, doctor, routes, bench, version };

struct CommandLine {
  Command command = Command::serve;
  Flags flags;
  bool print = false;     ///< check --print
  bool features = false;  ///< version --features
  BenchFlags bench;
  bool help = false;  ///< `text` is the help, for standard output: exit 0.
  std::string text;   ///< Not help and not empty: a sentence on what is wrong, exit 2.
};

/// What the command line belongs to: the engine binary has subcommands, an application has not.
enum class Program : std::uint8_t { engine, application };

/// Never throws. Values are judged by load(), together with those of the file.
CommandLine read_command_line(Program program, int argc, const char* const* argv) noexcept;

}  // namespace millrace::config
