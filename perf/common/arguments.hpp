// arguments.hpp: the flags of the measuring programs, `--name value` or `--name` alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::perf {

/// Ends the program with one sentence on standard error and status 2.
[[noreturn]] void fail_usage(const std::string& sentence);
/// The same with status 1: something could not be done, or was answered wrongly.
[[noreturn]] void fail(const std::string& sentence);

/// Each flag is taken once by its name; finish() refuses what nobody took.
class Arguments {
 public:
  Arguments(int argc, char** argv) : words_(argv + 1, argv + argc) {}

  bool flag(std::string_view name);
  std::uint64_t number(std::string_view name, std::uint64_t otherwise);
  double seconds(std::string_view name, double otherwise);
  std::string text(std::string_view name, std::string otherwise);
  void finish() const;

 private:
  bool take(std::string_view name, std::string& value);
  std::vector<std::string> words_;
};

}  // namespace millrace::perf
