// page.hpp: the page of apps/uploads.
#pragma once

#include <filesystem>
#include <string>

namespace uploads {

/// HTML: a form, and the files in the directory, newest first.
std::string page(const std::filesystem::path& directory);

}  // namespace uploads
