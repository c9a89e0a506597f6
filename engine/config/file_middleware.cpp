// file_middleware.cpp: what stands around routes: [access_log], [headers] and [rate_limit] for all of them, and
// the keys of the same names in a [[route]] for one.
#include <millrace/response.hpp>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "engine/config/toml.hpp"
#include "engine/config/value.hpp"
#include "engine/serve/site.hpp"

namespace millrace::config {
namespace {

constexpr std::array<std::string_view, 2> log_keys = {"path", "format"};
constexpr std::array<std::string_view, 2> rate_keys = {"per_second", "burst"};

bool is_known(const toml::key& key, std::span<const std::string_view> known) {
  return std::find(known.begin(), known.end(), key.str()) != known.end();
}

/// A number of the file, whole or not; nothing for another shape.
std::optional<double> number_of(const toml::node& node) {
  if (const auto* whole = node.as_integer()) return static_cast<double>(whole->get());
  if (const auto* real = node.as_floating_point()) return real->get();
  return std::nullopt;
}

}  // namespace

void read_headers(const toml::node& node, std::string_view context, FieldList& out, FileProblems& problems) {
  const toml::table* table = node.as_table();
  if (table == nullptr)
    return problems.add(node, fmt::format("{} = {}: expected a table of texts", context, show(node)));
  for (const auto& [key, value] : *table) {
    const auto* text = value.as_string();
    if (text == nullptr) {
      problems.add(key, fmt::format("{} {} = {}: expected a text", context, key.str(), show(value)));
      continue;
    }
    Response judge;  // It knows what a field may be.
    judge.header(key.str(), text->get());
    if (judge.problem() != nullptr)
      problems.add(key, fmt::format("{} {}: {}", context, key.str(), judge.problem()));
    else
      out.emplace_back(key.str(), text->get());
  }
}

void read_rate_limit(const toml::node& node, std::string_view context, RateConfig& out,
                     FileProblems& problems) {
  const toml::table* table = node.as_table();
  if (table == nullptr || table->get("per_second") == nullptr)
    return problems.add(
        node, fmt::format("{}: expected a table such as {{ per_second = 10, burst = 20 }}", context));
  for (const auto& [key, value] : *table) {
    const std::optional<double> number = number_of(value);
    if (!is_known(key, rate_keys)) {
      unknown_key(key, context, rate_keys, problems);
    } else if (key.str() == "burst") {
      if (number && *number >= 1 && *number <= 1e9)
        out.burst = *number;
      else
        problems.add(
            key, fmt::format("{} burst = {}: expected a number from 1 to 1000000000", context, show(value)));
    } else if (number && *number >= 1e-4 && *number <= 1e9) {
      out.per_second = *number;
    } else {
      problems.add(key, fmt::format("{} per_second = {}: expected a number from 0.0001 to 1000000000",
                                    context, show(value)));
    }
  }
  if (out.burst == 0) out.burst = std::max(1.0, out.per_second);
}

void read_access_log(const toml::node& node, LogConfig& out, FileProblems& problems) {
  const toml::table* table = node.as_table();
  if (table == nullptr || table->get("path") == nullptr)
    return problems.add(node, "[access_log] needs a `path`: a file, or \"-\" for standard output");
  for (const auto& [key, value] : *table) {
    const auto* text = value.as_string();
    if (!is_known(key, log_keys)) {
      unknown_key(key, "[access_log]", log_keys, problems);
    } else if (text == nullptr || text->get().empty()) {
      problems.add(key, fmt::format("[access_log] {} = {}: expected a text", key.str(), show(value)));
    } else if (key.str() == "path") {
      out.path = text->get();
    } else if (text->get() == "combined" || text->get() == "json") {
      out.format = text->get();
    } else {
      problems.add(key,
                   fmt::format("[access_log] format = {}: expected \"combined\" or \"json\"", show(value)));
    }
  }
}

void read_hosts(const toml::key& key, const toml::node& node, std::vector<std::string>& out,
                FileProblems& problems) {
  const toml::array* list = node.as_array();
  if (list == nullptr || list->empty())
    return problems.add(
        key,
        fmt::format("hosts = {}: expected a list such as [\"example.org\", \"*.example.org\"]", show(node)));
  for (const toml::node& element : *list) {
    const auto* name = element.as_string();
    const char* wrong = name != nullptr ? serve::host_problem(name->get()) : "expected a text";
    if (wrong != nullptr)
      problems.add(key, fmt::format("hosts: {}: {}", show(element), wrong));
    else
      out.push_back(name->get());
  }
}

void read_body_limit(const toml::key& key, const toml::node& node, std::uint64_t& out,
                     FileProblems& problems) {
  std::optional<std::uint64_t> bytes;
  if (const auto* whole = node.as_integer(); whole != nullptr && whole->get() > 0)
    bytes = static_cast<std::uint64_t>(whole->get());
  if (const auto* text = node.as_string()) bytes = read_size(text->get());
  if (bytes && *bytes >= 1 && *bytes <= 1ull << 40)
    out = *bytes;
  else
    problems.add(key, fmt::format("body = {}: expected a size from 1 to 1t bytes, such as 16384 or \"16k\"",
                                  show(node)));
}

}  // namespace millrace::config
