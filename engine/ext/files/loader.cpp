#include "engine/ext/files/loader.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <climits>
#include <utility>

#include "engine/ext/files/mime.hpp"
#include "engine/http/framing.hpp"

namespace millrace::files {
namespace {

/// By http::Coding.
constexpr std::array<std::string_view, http::coding_count> endings = {"", ".gz", ".zst", ".br"};

/// A path that ends in a NUL, for fnmatch(3), and that may grow an ending.
struct PathText {
  std::array<char, PATH_MAX> text;
  std::size_t size = 0;
  bool append(std::string_view more) noexcept {
    if (size + more.size() >= text.size()) return false;
    *std::copy(more.begin(), more.end(), text.begin() + static_cast<std::ptrdiff_t>(size)) = '\0';
    size += more.size();
    return true;
  }
  std::string_view view() const noexcept { return {text.data(), size}; }
};

bool older(const net::FileFacts& a, const net::FileFacts& b) noexcept {
  return std::pair(a.modified_seconds, a.modified_ns) < std::pair(b.modified_seconds, b.modified_ns);
}

}  // namespace

// A compressed form that is older than its file was made of another one.
void Loader::open_forms(std::string_view path, OpenedForms& opened) const noexcept {
  if (!options_.precompressed) return;
  for (std::size_t coding = 1; coding < opened.size(); ++coding) {
    PathText sibling;
    if (!sibling.append(path) || !sibling.append(endings[coding])) return;
    net::FileRef form;
    if (root_.open(sibling.view(), form) != Root::Outcome::file) continue;
    if (!older(form.facts(), opened[0].facts())) opened[coding] = std::move(form);
  }
}

std::string_view Loader::type_of(std::string_view path) const noexcept {
  const std::string_view extension = extension_of(path);
  for (const MediaType& type : options_.types) {
    if (!extension.empty() && http::equal_ignoring_case(type.extension, extension)) return type.type;
  }
  return media_type_of(path);
}

std::string_view Loader::cache_control_of(const char* path) const noexcept {
  for (const CacheControl& rule : options_.cache_control) {
    if (::fnmatch(rule.match.c_str(), path, 0) == 0) return rule.value;
  }
  return {};
}

Loader::Loaded Loader::load(std::string_view name, std::size_t hash, Resource* known,
                            std::int64_t now_seconds) const {
  PathText path;
  const bool index = name.empty() || name.ends_with('/');
  if (index && options_.index.empty()) return {};
  if (!path.append(name) || (index && !path.append(options_.index))) return {};

  OpenedForms opened;
  const Root::Outcome outcome = root_.open(path.view(), opened[0]);
  if (outcome != Root::Outcome::file)
    return {.outcome = index && outcome == Root::Outcome::directory ? Root::Outcome::missing : outcome};
  open_forms(path.view(), opened);
  if (known != nullptr && same_files(*known, opened)) return {Root::Outcome::file, known};

  Resource* resource = make_resource(name, hash);
  if (resource == nullptr) return {.outcome = Root::Outcome::busy};
  Description description{.type = type_of(path.view()), .cache_control = cache_control_of(path.text.data())};
  description.varies =
      std::any_of(opened.begin() + 1, opened.end(), [](const auto& form) { return bool(form); });
  for (std::size_t coding = 0; coding < opened.size(); ++coding) {
    if (!opened[coding]) continue;
    description.coding = static_cast<http::Coding>(coding);
    bool busy = false;
    Representation* form = make_representation(std::move(opened[coding]), description, now_seconds, busy);
    resource->forms[coding] = form;
    if (form != nullptr || coding != 0) continue;
    destroy(resource);
    return {.outcome = busy ? Root::Outcome::busy : Root::Outcome::broken};
  }
  resource->checked_seconds = now_seconds;
  return {Root::Outcome::file, resource};
}

}  // namespace millrace::files
