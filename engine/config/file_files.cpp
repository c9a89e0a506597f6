// file_files.cpp: the options of a [[route]] of files.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "engine/config/toml.hpp"
#include "engine/config/value.hpp"
#include "engine/ext/files/loader.hpp"

namespace millrace::config {
namespace {

void read_text(const toml::key& key, const toml::node& node, std::string& out, FileProblems& problems) {
  if (const auto* text = node.as_string())
    out = text->get();
  else
    problems.add(key, fmt::format("{} = {}: expected a text", key.str(), show(node)));
}

void read_switch(const toml::key& key, const toml::node& node, bool& out, FileProblems& problems) {
  if (const auto* value = node.as_boolean())
    out = value->get();
  else
    problems.add(key, fmt::format("{} = {}: expected true or false", key.str(), show(node)));
}

void read_bytes(const toml::key& key, const toml::node& node, std::uint64_t& out, FileProblems& problems) {
  std::optional<std::uint64_t> bytes;
  if (const auto* text = node.as_string()) bytes = read_size(text->get());
  if (const auto* number = node.as_integer(); number != nullptr && number->get() >= 0)
    bytes = static_cast<std::uint64_t>(number->get());
  if (bytes)
    out = *bytes;
  else
    problems.add(key, fmt::format("{} = {}: expected a size such as \"32m\", or 0", key.str(), show(node)));
}

void read_files_max(const toml::key& key, const toml::node& node, std::uint32_t& out,
                    FileProblems& problems) {
  const auto* number = node.as_integer();
  if (number != nullptr && number->get() >= 0 && number->get() <= files::files_cache_files_max)
    out = static_cast<std::uint32_t>(number->get());
  else
    problems.add(key, fmt::format("{} = {}: expected a number from 0 to {}", key.str(), show(node),
                                  files::files_cache_files_max));
}

void read_cache_control(const toml::key& key, const toml::node& node, FilesOptions& options,
                        FileProblems& problems) {
  constexpr std::string_view example = "a list such as [{ match = \"*.js\", value = \"max-age=3600\" }]";
  const toml::array* rules = node.as_array();
  if (rules == nullptr)
    return problems.add(key, fmt::format("cache_control = {}: expected {}", show(node), example));
  for (const toml::node& element : *rules) {
    const toml::table* rule = element.as_table();
    const toml::node* match = rule != nullptr ? rule->get("match") : nullptr;
    const toml::node* value = rule != nullptr ? rule->get("value") : nullptr;
    if (match == nullptr || value == nullptr || !match->is_string() || !value->is_string() ||
        rule->size() != 2) {
      problems.add(element, fmt::format("cache_control: {}: expected {}", show(element), example));
      continue;
    }
    options.cache_control.push_back({match->as_string()->get(), value->as_string()->get()});
  }
}

void read_types(const toml::key& key, const toml::node& node, FilesOptions& options, FileProblems& problems) {
  const toml::table* types = node.as_table();
  if (types == nullptr)
    return problems.add(
        key,
        fmt::format("types = {}: expected a table such as {{ wasm = \"application/wasm\" }}", show(node)));
  for (const auto& [extension, type] : *types) {
    MediaType entry{.extension = std::string(extension.str()), .type = {}};
    read_text(extension, type, entry.type, problems);
    options.types.push_back(std::move(entry));
  }
}

}  // namespace

std::span<const std::string_view> files_option_keys() {
  static constexpr std::array<std::string_view, 9> keys = {"index",  "fallback",      "listing",
                                                           "hidden", "precompressed", "cache_control",
                                                           "types",  "cache_bytes",   "cache_files"};
  return keys;
}

void read_files_option(const toml::key& key, const toml::node& node, FilesOptions& options,
                       FileProblems& problems) {
  const std::string_view name = key.str();
  const std::size_t found = problems.count();
  if (name == "index") read_text(key, node, options.index, problems);
  if (name == "fallback") read_text(key, node, options.fallback, problems);
  if (name == "listing") read_switch(key, node, options.listing, problems);
  if (name == "hidden") read_switch(key, node, options.hidden, problems);
  if (name == "precompressed") read_switch(key, node, options.precompressed, problems);
  if (name == "cache_control") read_cache_control(key, node, options, problems);
  if (name == "types") read_types(key, node, options, problems);
  if (name == "cache_bytes") read_bytes(key, node, options.cache_bytes, problems);
  if (name == "cache_files") read_files_max(key, node, options.cache_files, problems);
  if (problems.count() != found) return;
  // Of this key alone, so that the line is its own.
  FilesOptions alone;
  if (name == "index") alone.index = options.index;
  if (name == "fallback") alone.fallback = options.fallback, alone.hidden = true;
  if (name == "cache_control") alone.cache_control = options.cache_control;
  if (name == "types") alone.types = options.types;
  if (name == "cache_bytes") alone.cache_bytes = options.cache_bytes;
  if (const std::string problem = files::check_options(alone); !problem.empty()) problems.add(key, problem);
}

}  // namespace millrace::config
