// run.hpp: the whole of the engine binary, and what App::run() does with a command line.
#pragma once

namespace millrace::config {

/// Runs the command that `argv` asks for. Returns the exit status: 0, 1 where the machine refused,
/// 2 where the command line or the configuration is wrong (then nothing was started).
int run_engine(int argc, char** argv);

}  // namespace millrace::config
