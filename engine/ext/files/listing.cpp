#include "engine/ext/files/listing.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <tuple>
#include <vector>

#include <fmt/format.h>

#include "engine/ext/files/location.hpp"

namespace millrace::files {
namespace {

struct Item {
  std::string name;
  bool directory = false;
  std::uint64_t size_bytes = 0;
  std::int64_t modified_seconds = 0;
};

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

constexpr std::string_view style = R"(
:root { color-scheme: light dark; }
body { font: 1rem/1.6 system-ui, sans-serif; max-width: 56rem; margin: 3rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.3rem; font-weight: 600; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
td { padding: .25rem .5rem; border-top: 1px solid #8883; white-space: nowrap; }
td:first-child { width: 100%; white-space: normal; overflow-wrap: anywhere; }
td:nth-child(2) { text-align: right; }
td + td, p { color: #888; font-variant-numeric: tabular-nums; }
a { text-decoration: none; } a:hover { text-decoration: underline; }
)";

/// Text for an element or an attribute. A control character would be shown as nothing, or as an error.
void escape(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? out += "\xef\xbf\xbd" : out += c;
    }
  }
}

std::string show_size(std::uint64_t bytes) {
  constexpr std::array units = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double size = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; size >= 1023.95 && unit + 1 < units.size(); ++unit) size /= 1024;
  return fmt::format("{:.1f} {}", size, units[unit]);
}

std::string show_time(std::int64_t seconds) {
  const time_t time = seconds;
  struct tm parts = {};
  ::gmtime_r(&time, &parts);
  std::array<char, 32> text;
  return {text.data(), ::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M", &parts)};
}

/// False for what is not served. A link counts as what it leads to, if that lies beneath the root.
bool examine(const Root& root, int directory, std::string_view path, Item& item) {
  struct stat status = {};
  if (::fstatat(directory, item.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return false;
  if (S_ISLNK(status.st_mode)) {
    net::FileRef file;
    const Root::Outcome outcome = root.open(std::string(path) + item.name, file);
    item.directory = outcome == Root::Outcome::directory;
    if (outcome == Root::Outcome::file) {
      item.size_bytes = file.facts().size_bytes;
      item.modified_seconds = file.facts().modified_seconds;
    }
    return item.directory || outcome == Root::Outcome::file;
  }
  item.directory = S_ISDIR(status.st_mode);
  item.size_bytes = static_cast<std::uint64_t>(status.st_size);
  item.modified_seconds = status.st_mtim.tv_sec;
  return item.directory || S_ISREG(status.st_mode);
}

void write_item(std::string& page, const Item& item) {
  const std::string_view slash = item.directory ? "/" : "";
  page += "<tr><td><a href=\"./";
  append_escaped_path(page, item.name);
  page.append(slash) += "\">";
  escape(page, item.name);
  page.append(slash) += "</a></td><td>";
  if (!item.directory) page += show_size(item.size_bytes);
  page += "</td><td>";
  if (item.modified_seconds > 0) page += show_time(item.modified_seconds);
  page += "</td></tr>\n";
}

}  // namespace

Root::Outcome write_listing(const Root& root, std::string_view path, std::string_view name, bool hidden,
                            std::string& page) {
  int descriptor = -1;
  const std::string_view trimmed = name.ends_with('/') ? name.substr(0, name.size() - 1) : name;
  const Root::Outcome outcome = root.open_beneath(trimmed, descriptor);
  if (outcome != Root::Outcome::directory) return outcome;
  const std::unique_ptr<DIR, CloseDirectory> directory(::fdopendir(descriptor));
  if (directory == nullptr) {
    ::close(descriptor);
    return Root::Outcome::busy;
  }
  std::vector<Item> items;
  bool more = false;
  while (const dirent* entry = ::readdir(directory.get())) {
    Item item{.name = entry->d_name};
    if (!servable(item.name, hidden) || !examine(root, descriptor, name, item)) continue;
    more = items.size() == listing_entries_max;
    if (more) break;
    items.push_back(std::move(item));
  }
  std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
    return std::tie(b.directory, a.name) < std::tie(a.directory, b.name);
  });

  page =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>";
  escape(page, path);
  page.append("</title>\n<style>").append(style) += "</style>\n</head>\n<body>\n<h1>";
  escape(page, path);
  page += "</h1>\n<table>\n";
  if (!name.empty()) page += "<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n";
  for (const Item& item : items) write_item(page, item);
  page += "</table>\n";
  if (items.empty()) page += "<p>Nothing is here.</p>\n";
  if (more) page += fmt::format("<p>Only {} entries are listed.</p>\n", listing_entries_max);
  page += "</body>\n</html>\n";
  return Root::Outcome::directory;
}

}  // namespace millrace::files
