// check_options.cpp: options of a route of files that cannot be, told before anything is served.
#include <millrace/response.hpp>

#include <fmt/format.h>

#include "engine/ext/files/loader.hpp"

namespace millrace::files {
namespace {

std::string check_value(std::string_view what, std::string_view name, std::string_view value) {
  Response judge;  // Knows what a field may be.
  judge.header(name, value);
  if (judge.problem() != nullptr) return fmt::format("{} \"{}\": {}", what, value, judge.problem());
  if (value.empty()) return fmt::format("{} is empty", what);
  if (value.size() > described_bytes_max)
    return fmt::format("{} has {} bytes: at most {}", what, value.size(), described_bytes_max);
  return {};
}

}  // namespace

std::string check_options(const FilesOptions& options) {
  if (options.index.find('/') != options.index.npos ||
      (!options.index.empty() && !servable(options.index, true)))
    return fmt::format("index \"{}\": expected the name of a file, without a slash", options.index);
  if (options.fallback.ends_with('/') || !servable(options.fallback, options.hidden))
    return fmt::format("fallback \"{}\": expected a file beneath the directory, such as \"index.html\"",
                       options.fallback);
  for (const CacheControl& rule : options.cache_control) {
    if (rule.match.empty()) return "cache_control: `match` is empty: expected a pattern such as \"*.js\"";
    std::string problem = check_value("cache_control value", "X-Value", rule.value);
    if (!problem.empty()) return problem;
  }
  for (const MediaType& type : options.types) {
    const bool odd = type.extension.find_first_of("./") != type.extension.npos;
    if (type.extension.empty() || odd)
      return fmt::format("types \"{}\": expected an ending without its dot, such as \"wasm\"",
                         type.extension);
    std::string problem =
        check_value(fmt::format("types: the type of \"{}\"", type.extension), "X-Value", type.type);
    if (!problem.empty()) return problem;
  }
  if (options.cache_bytes > files_cache_bytes_max)
    return fmt::format("cache_bytes is {}: at most {}", options.cache_bytes, files_cache_bytes_max);
  if (options.cache_files > files_cache_files_max)
    return fmt::format("cache_files is {}: at most {}", options.cache_files, files_cache_files_max);
  return {};
}

}  // namespace millrace::files
