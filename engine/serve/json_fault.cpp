// What a client reads about a JSON text that was refused, and which media types are JSON.
#include <millrace/detail/json_node.hpp>
#include <millrace/detail/json_write.hpp>

#include <algorithm>
#include <ranges>

#include "engine/http/framing.hpp"
#include "engine/serve/json_scan.hpp"

namespace millrace::detail {
namespace {

constexpr std::size_t shown_name_bytes_max = 64;  // A message stays a line, whatever the client sends.

bool is_word(std::string_view name) noexcept {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

void append_name(std::string& path, std::string_view name) {
  if (name.size() <= shown_name_bytes_max && is_word(name)) {
    path += '.';
    path += name;
    return;
  }
  std::size_t shown = std::min(name.size(), shown_name_bytes_max);
  if (shown < name.size()) {  // Cut, but not within a UTF-8 sequence.
    while (shown > 0 && (static_cast<unsigned char>(name[shown]) & 0xc0) == 0x80) --shown;
  }
  path += '[';
  append_json_string(path, name.substr(0, shown));
  if (shown < name.size()) path += "...";
  path += ']';
}

std::string path_of(const JsonFault& fault) {
  std::string path = "$";
  for (const auto& step : std::ranges::reverse_view(fault.steps)) {
    if (step.member) {
      append_name(path, step.name);
    } else {
      path += '[' + std::to_string(step.child) + ']';
    }
  }
  if (!fault.missing.empty()) append_name(path, fault.missing);
  return path;
}

}  // namespace

std::string json_fault_text(std::string_view text, const JsonFault& fault) {
  const std::size_t offset =
      fault.offset != JsonFault::nowhere ? fault.offset : serve::json_offset(text, fault);
  return "JSON: " + fault.problem + " at " + path_of(fault) + ", byte " + std::to_string(offset);
}

bool is_json_type(std::string_view content_type) noexcept {
  if (content_type == "application/json") return true;  // As nearly everybody writes it.
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  const std::size_t begin = type.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return content_type.empty();
  const std::string_view name = type.substr(begin, type.find_last_not_of(" \t") + 1 - begin);
  const std::size_t slash = name.find('/');
  if (slash == 0 || slash == std::string_view::npos) return false;
  const std::string_view subtype = name.substr(slash + 1);
  if (http::equal_ignoring_case(name, "application/json")) return true;
  return subtype.size() > 5 && http::equal_ignoring_case(subtype.substr(subtype.size() - 5), "+json");
}

}  // namespace millrace::detail
