// loader.hpp: from a name to what it answers: the file beneath the root, its forms, what is said of it.
#pragma once

#include <millrace/files.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/ext/files/resource.hpp"
#include "engine/ext/files/root.hpp"

namespace millrace::files {

/// Owner: one per route of files; shared by all cores, read-only.
class Loader {
 public:
  /// Takes the directory's descriptor. The options have passed check_options().
  Loader(int directory, const FilesOptions& options) : root_(directory), options_(options) {}

  struct Loaded {
    Root::Outcome outcome = Root::Outcome::missing;
    Resource* resource = nullptr;  ///< With the outcome `file`; `known` where that is still right.
  };
  /// name   servable; a directory's ends in a slash, or is empty: its index is meant.
  /// known  what the name answered before, or null; stays the caller's.
  /// Opens the file and the compressed ones beside it: two system calls each, and one for each that is not
  /// there.
  Loaded load(std::string_view name, std::size_t hash, Resource* known, std::int64_t now_seconds) const;

  const Root& root() const noexcept { return root_; }
  const FilesOptions& options() const noexcept { return options_; }

 private:
  void open_forms(std::string_view path, OpenedForms& opened) const noexcept;
  std::string_view type_of(std::string_view path) const noexcept;
  std::string_view cache_control_of(const char* path) const noexcept;

  const Root root_;
  const FilesOptions options_;
};

inline constexpr std::uint64_t files_cache_bytes_max = 1ull << 40;
inline constexpr std::uint32_t files_cache_files_max = 1'000'000;

/// An empty string, or a sentence that says which option cannot be.
std::string check_options(const FilesOptions& options);

}  // namespace millrace::files
