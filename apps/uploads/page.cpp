#include "apps/uploads/page.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <system_error>
#include <vector>

namespace uploads {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view top = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Uploads</title>
<style>
  :root { color-scheme: light dark; --line: #8883; --accent: #2f6fdd; }
  body { font: 1rem/1.6 system-ui, sans-serif; max-width: 42rem; margin: 8vh auto; padding: 0 1.25rem; }
  h1 { font-weight: 600; letter-spacing: -.02em; }
  form { display: flex; flex-wrap: wrap; gap: .75rem; align-items: center; padding: 1.25rem;
         border: 1px dashed var(--line); border-radius: .75rem; }
  input { flex: 1 1 14rem; font: inherit; }
  button { font: inherit; padding: .5em 1.2em; border: 0; border-radius: .5em; background: var(--accent);
           color: #fff; cursor: pointer; }
  ul { list-style: none; padding: 0; }
  li { display: flex; gap: 1rem; padding: .6rem .25rem; border-bottom: 1px solid var(--line); }
  a { flex: 1; color: inherit; overflow-wrap: anywhere; }
  small, p { opacity: .7; white-space: nowrap; }
</style>
</head>
<body>
<h1>Uploads</h1>
<form method="post" enctype="multipart/form-data">
<input type="file" name="file" multiple required aria-label="Files">
<button>Upload</button>
</form>
)";

constexpr std::string_view bottom = "</body>\n</html>\n";

struct Entry {
  std::string name;
  std::uint64_t size_bytes;
  fs::file_time_type time;
};

/// Those that are stored; what is hidden is none.
std::vector<Entry> entries_of(const fs::path& directory) {
  std::vector<Entry> entries;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename();
    if (name.starts_with('.') || !fs::is_regular_file(entry.symlink_status(error))) continue;
    const std::uint64_t size_bytes = entry.file_size(error);
    if (!error) entries.push_back({name, size_bytes, entry.last_write_time(error)});
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.time > b.time; });
  return entries;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char byte : text) {
    switch (byte) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += byte;
    }
  }
  return out;
}

/// As one segment of a path.
std::string encoded(std::string_view text) {
  std::string out;
  for (const char byte : text) {
    const auto value = static_cast<unsigned char>(byte);
    const bool plain = (value | 0x20) >= 'a' && (value | 0x20) <= 'z';
    const bool kept = plain || (byte >= '0' && byte <= '9') ||
                      std::string_view("-._~").find(byte) != std::string_view::npos;
    char escape[4];
    std::snprintf(escape, sizeof escape, "%%%02X", value);
    kept ? out.append(1, byte) : out.append(escape);
  }
  return out;
}

std::string size_text(std::uint64_t bytes) {
  static constexpr const char* units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  double size = static_cast<double>(bytes);
  unsigned unit = 0;
  for (; size >= 1024 && unit < 4; ++unit) size /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", size, units[unit]);
  return text;
}

}  // namespace

std::string page(const fs::path& directory) {
  std::string out(top);
  const std::vector<Entry> entries = entries_of(directory);
  if (entries.empty()) out += "<p>Nothing is here yet.</p>\n";
  if (!entries.empty()) out += "<ul>\n";
  for (const Entry& entry : entries) {
    out.append("<li><a href=\"/files/").append(encoded(entry.name)).append("\">").append(escaped(entry.name));
    out.append("</a><small>").append(size_text(entry.size_bytes)).append("</small></li>\n");
  }
  if (!entries.empty()) out += "</ul>\n";
  return out.append(bottom);
}

}  // namespace uploads
