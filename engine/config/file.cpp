#define MR_TOML_IMPLEMENTATION
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "engine/config/file_text.hpp"
#include "engine/config/nearest.hpp"
#include "engine/config/toml.hpp"
#include "engine/config/value.hpp"

namespace millrace::config {
namespace {

/// Announced names that nothing stands behind yet.
constexpr std::array<std::string_view, 6> later_names = {"proxy", "http2", "websocket",
                                                         "admin", "log",   "cache"};

Value list_of(const toml::array& array) {
  Value value{.shape = Value::Shape::list, .text = "a list"};
  for (const toml::node& element : array) {
    const toml::value<std::string>* text = element.as_string();
    if (text == nullptr) return {.shape = Value::Shape::other, .text = "a list"};
    value.list.push_back(text->get());
  }
  return value;
}

Value value_of(const toml::node& node) {
  if (const auto* integer = node.as_integer())
    return {.shape = Value::Shape::integer, .integer = integer->get(), .text = show(node)};
  if (const auto* boolean = node.as_boolean())
    return {.shape = Value::Shape::boolean, .integer = boolean->get() ? 1 : 0, .text = show(node)};
  if (const auto* text = node.as_string()) return {.shape = Value::Shape::text, .text = text->get()};
  if (const auto* array = node.as_array()) return list_of(*array);
  return {.shape = Value::Shape::other, .text = show(node)};
}

void read_section(std::string_view section, const toml::table& table, std::string_view file, Config& config,
                  FileProblems& problems) {
  std::vector<std::string_view> known = keys_of(section);
  if (section == "tls") known.insert(known.end(), {"certificates", "hsts"});
  for (const auto& [key, node] : table) {
    const std::string origin = fmt::format("{}:{}", file, key.source().begin.line);
    if (section == "tls" && key.str() == "certificates") {
      config.certificates_origin = origin;
      read_certificates(node, config, problems);
      continue;
    }
    if (section == "tls" && key.str() == "hsts") {
      config.hsts_origin = origin;
      read_hsts(key, node, config.hsts_ms, problems);
      continue;
    }
    const std::size_t index = index_of(section, key.str());
    if (index == settings_count) {
      unknown_key(key, fmt::format("[{}]", section), known, problems);
      continue;
    }
    const std::string fault = assign(settings[index], value_of(node), config.server);
    if (fault.empty())
      config.origins[index] = origin;
    else
      problems.add(key, fmt::format("[{}] {} = {}: {}", section, key.str(), show(node), fault));
  }
}

/// A key above the first section: perhaps it only lacks its section.
void unknown_top(const toml::key& key, FileProblems& problems) {
  for (const Setting& setting : settings) {
    if (setting.key == key.str())
      return problems.add(
          key, fmt::format("`{}` stands outside of its section, [{}]", key.str(), setting.section));
  }
  std::vector<std::string_view> known = section_names();
  for (const char* name :
       {"route", "access_log", "headers", "rate_limit", "compress", "cors", "security_headers", "auth"})
    known.emplace_back(name);
  unknown_key(key, "the file", known, problems);
}

void read_top(const toml::table& top, std::string_view file, Config& config, FileProblems& problems) {
  const std::vector<std::string_view> sections = section_names();
  for (const auto& [key, node] : top) {
    if (key.str() == "route") {
      read_routes(node, config, problems);
    } else if (key.str() == "access_log") {
      read_access_log(node, config.access_log, problems);
    } else if (key.str() == "headers") {
      read_headers(node, "[headers]", config.headers, problems);
    } else if (key.str() == "rate_limit") {
      read_rate_limit(node, "[rate_limit]", config.rate, problems);
    } else if (key.str() == "compress") {
      read_compress(node, "[compress]", config.compress, problems);
    } else if (key.str() == "cors") {
      read_cors(node, "[cors]", config.cors, problems);
    } else if (key.str() == "security_headers") {
      read_security_headers(node, config.security_headers, problems);
    } else if (key.str() == "auth") {
      read_auth(node, "[auth]", config.auth, problems);
    } else if (std::find(sections.begin(), sections.end(), key.str()) == sections.end()) {
      unknown_top(key, problems);
    } else if (const toml::table* section = node.as_table()) {
      read_section(key.str(), *section, file, config, problems);
    } else {
      problems.add(key, fmt::format("`{0}` is a section: write [{0}] on a line of its own", key.str()));
    }
  }
}

}  // namespace

std::string show(const toml::node& node) {
  if (const auto* integer = node.as_integer()) return fmt::format("{}", integer->get());
  if (const auto* boolean = node.as_boolean()) return boolean->get() ? "true" : "false";
  if (const auto* floating = node.as_floating_point()) return fmt::format("{}", floating->get());
  if (const auto* text = node.as_string()) {
    constexpr std::size_t shown_max = 60;
    const bool cut = text->get().size() > shown_max;
    return quoted(cut ? text->get().substr(0, shown_max) + "..." : text->get());
  }
  if (node.is_array()) return "[...]";
  return node.is_table() ? "a table" : "a date or time";
}

void FileProblems::tell(std::string_view file, Report& report) {
  std::stable_sort(found_.begin(), found_.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [line, text] : found_)
    report.problems.push_back(fmt::format("{}:{}: {}", file, line, text));
}

void unknown_key(const toml::key& key, std::string_view context, std::span<const std::string_view> known,
                 FileProblems& problems) {
  const std::string_view name = key.str();
  if (std::find(later_names.begin(), later_names.end(), name) != later_names.end())
    return problems.add(key, fmt::format("this version does not have `{}`", name));
  problems.add(
      key, fmt::format("unknown key `{}` in {}; the nearest is `{}`", name, context, nearest(name, known)));
}

void apply_file_text(std::string_view text, std::string_view name, Config& config, Report& report) {
  FileProblems problems;
  if (const std::size_t stray = find_stray_character(text); stray != text.size()) {
    const auto lines = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(stray), '\n');
    problems.add(
        static_cast<std::uint32_t>(lines) + 1,
        "a character beyond ASCII outside of quotes and comments, or in quotes behind a backslash; in quotes "
        "it may be written as \\uXXXX");
    return problems.tell(name, report);
  }
  const toml::parse_result parsed = toml::parse(text, name);
  if (parsed.failed())
    problems.add(parsed.error().source().begin.line, std::string(parsed.error().description()));
  else
    read_top(parsed.table(), name, config, problems);
  problems.tell(name, report);
}

}  // namespace millrace::config
