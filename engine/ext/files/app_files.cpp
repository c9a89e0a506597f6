// app_files.cpp: what App::files() and Group::files() do.
#include <millrace/files.hpp>

#include <string>

#include "engine/ext/files/files.hpp"
#include "engine/serve/app_state.hpp"

namespace millrace::detail {

void add_files(serve::GroupState& group, std::string_view path, const std::string& directory,
               const FilesOptions& options) {
  std::string pattern(path);
  if (!pattern.ends_with("/*")) pattern += pattern.ends_with('/') ? "*" : "/*";
  Entry entry;
  std::string problem = files::make_entry(pattern, directory, options, entry);
  if (problem.empty()) problem = group.state->add_to(group, "GET", pattern, entry, "files");
  if (!problem.empty()) group.state->add_problem("files(\"" + std::string(path) + "\"): " + problem);
}

}  // namespace millrace::detail
