#include "engine/ext/files/mime.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace millrace::files {
namespace {

struct Type {
  std::string_view extension;
  std::string_view type;
};

/// Sorted by extension. Texts are declared UTF-8, because nothing else is written any more.
constexpr std::array types = {
    Type{"7z", "application/x-7z-compressed"},
    Type{"aac", "audio/aac"},
    Type{"apng", "image/apng"},
    Type{"atom", "application/atom+xml"},
    Type{"avif", "image/avif"},
    Type{"bin", "application/octet-stream"},
    Type{"bmp", "image/bmp"},
    Type{"bz2", "application/x-bzip2"},
    Type{"cjs", "text/javascript; charset=utf-8"},
    Type{"css", "text/css; charset=utf-8"},
    Type{"csv", "text/csv; charset=utf-8"},
    Type{"doc", "application/msword"},
    Type{"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    Type{"eot", "application/vnd.ms-fontobject"},
    Type{"epub", "application/epub+zip"},
    Type{"flac", "audio/flac"},
    Type{"gif", "image/gif"},
    Type{"gz", "application/gzip"},
    Type{"htm", "text/html; charset=utf-8"},
    Type{"html", "text/html; charset=utf-8"},
    Type{"ico", "image/vnd.microsoft.icon"},
    Type{"ics", "text/calendar; charset=utf-8"},
    Type{"jar", "application/java-archive"},
    Type{"jpeg", "image/jpeg"},
    Type{"jpg", "image/jpeg"},
    Type{"js", "text/javascript; charset=utf-8"},
    Type{"json", "application/json"},
    Type{"jsonld", "application/ld+json"},
    Type{"jxl", "image/jxl"},
    Type{"m3u8", "application/vnd.apple.mpegurl"},
    Type{"m4a", "audio/mp4"},
    Type{"m4v", "video/mp4"},
    Type{"map", "application/json"},
    Type{"md", "text/markdown; charset=utf-8"},
    Type{"mid", "audio/midi"},
    Type{"mjs", "text/javascript; charset=utf-8"},
    Type{"mkv", "video/x-matroska"},
    Type{"mov", "video/quicktime"},
    Type{"mp3", "audio/mpeg"},
    Type{"mp4", "video/mp4"},
    Type{"mpd", "application/dash+xml"},
    Type{"mpeg", "video/mpeg"},
    Type{"odp", "application/vnd.oasis.opendocument.presentation"},
    Type{"ods", "application/vnd.oasis.opendocument.spreadsheet"},
    Type{"odt", "application/vnd.oasis.opendocument.text"},
    Type{"oga", "audio/ogg"},
    Type{"ogg", "audio/ogg"},
    Type{"ogv", "video/ogg"},
    Type{"opus", "audio/ogg"},
    Type{"otf", "font/otf"},
    Type{"pdf", "application/pdf"},
    Type{"png", "image/png"},
    Type{"ppt", "application/vnd.ms-powerpoint"},
    Type{"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    Type{"rss", "application/rss+xml"},
    Type{"rtf", "application/rtf"},
    Type{"svg", "image/svg+xml"},
    Type{"tar", "application/x-tar"},
    Type{"tif", "image/tiff"},
    Type{"tiff", "image/tiff"},
    Type{"ts", "video/mp2t"},
    Type{"ttf", "font/ttf"},
    Type{"txt", "text/plain; charset=utf-8"},
    Type{"vtt", "text/vtt; charset=utf-8"},
    Type{"wasm", "application/wasm"},
    Type{"wav", "audio/wav"},
    Type{"weba", "audio/webm"},
    Type{"webm", "video/webm"},
    Type{"webmanifest", "application/manifest+json"},
    Type{"webp", "image/webp"},
    Type{"woff", "font/woff"},
    Type{"woff2", "font/woff2"},
    Type{"xhtml", "application/xhtml+xml"},
    Type{"xls", "application/vnd.ms-excel"},
    Type{"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    Type{"xml", "application/xml"},
    Type{"xz", "application/x-xz"},
    Type{"yaml", "application/yaml"},
    Type{"yml", "application/yaml"},
    Type{"zip", "application/zip"},
    Type{"zst", "application/zstd"},
};
constexpr bool before(const Type& a, const Type& b) { return a.extension < b.extension; }
static_assert(std::is_sorted(types.begin(), types.end(), before), "media_type_of() searches by halves");

constexpr std::string_view unknown = "application/octet-stream";
constexpr std::size_t extension_bytes_max = 16;

}  // namespace

std::string_view media_type_of(std::string_view name) noexcept {
  const std::size_t dot = name.rfind('.');
  if (dot == name.npos || name.size() - dot - 1 > extension_bytes_max) return unknown;
  std::array<char, extension_bytes_max> lower;
  std::size_t size = 0;
  for (const char c : name.substr(dot + 1))
    lower[size++] = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  const Type wanted{{lower.data(), size}, {}};
  const auto found = std::lower_bound(types.begin(), types.end(), wanted, before);
  return found != types.end() && found->extension == wanted.extension ? found->type : unknown;
}

}  // namespace millrace::files
