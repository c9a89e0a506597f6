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
    Type{"3g2", "video/3gpp2"},
    Type{"3gp", "video/3gpp"},
    Type{"7z", "application/x-7z-compressed"},
    Type{"aac", "audio/aac"},
    Type{"ai", "application/postscript"},
    Type{"aif", "audio/aiff"},
    Type{"aiff", "audio/aiff"},
    Type{"apng", "image/apng"},
    Type{"atom", "application/atom+xml"},
    Type{"avi", "video/x-msvideo"},
    Type{"avif", "image/avif"},
    Type{"azw", "application/vnd.amazon.ebook"},
    Type{"bin", "application/octet-stream"},
    Type{"bmp", "image/bmp"},
    Type{"bz2", "application/x-bzip2"},
    Type{"c", "text/plain; charset=utf-8"},
    Type{"cjs", "text/javascript; charset=utf-8"},
    Type{"conf", "text/plain; charset=utf-8"},
    Type{"cpp", "text/plain; charset=utf-8"},
    Type{"crt", "application/x-x509-ca-cert"},
    Type{"crx", "application/x-chrome-extension"},
    Type{"css", "text/css; charset=utf-8"},
    Type{"csv", "text/csv; charset=utf-8"},
    Type{"cur", "image/vnd.microsoft.icon"},
    Type{"deb", "application/vnd.debian.binary-package"},
    Type{"doc", "application/msword"},
    Type{"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    Type{"eot", "application/vnd.ms-fontobject"},
    Type{"eps", "application/postscript"},
    Type{"epub", "application/epub+zip"},
    Type{"flac", "audio/flac"},
    Type{"flv", "video/x-flv"},
    Type{"geojson", "application/geo+json"},
    Type{"gif", "image/gif"},
    Type{"glb", "model/gltf-binary"},
    Type{"gltf", "model/gltf+json"},
    Type{"gpx", "application/gpx+xml"},
    Type{"gz", "application/gzip"},
    Type{"h", "text/plain; charset=utf-8"},
    Type{"heic", "image/heic"},
    Type{"heif", "image/heif"},
    Type{"hpp", "text/plain; charset=utf-8"},
    Type{"htm", "text/html; charset=utf-8"},
    Type{"html", "text/html; charset=utf-8"},
    Type{"ico", "image/vnd.microsoft.icon"},
    Type{"ics", "text/calendar; charset=utf-8"},
    Type{"ini", "text/plain; charset=utf-8"},
    Type{"jar", "application/java-archive"},
    Type{"jfif", "image/jpeg"},
    Type{"jp2", "image/jp2"},
    Type{"jpeg", "image/jpeg"},
    Type{"jpg", "image/jpeg"},
    Type{"js", "text/javascript; charset=utf-8"},
    Type{"json", "application/json"},
    Type{"json5", "application/json5"},
    Type{"jsonld", "application/ld+json"},
    Type{"jxl", "image/jxl"},
    Type{"key", "application/vnd.apple.keynote"},
    Type{"kml", "application/vnd.google-earth.kml+xml"},
    Type{"kmz", "application/vnd.google-earth.kmz"},
    Type{"log", "text/plain; charset=utf-8"},
    Type{"lz", "application/x-lzip"},
    Type{"lz4", "application/x-lz4"},
    Type{"m2ts", "video/mp2t"},
    Type{"m3u8", "application/vnd.apple.mpegurl"},
    Type{"m4a", "audio/mp4"},
    Type{"m4s", "video/iso.segment"},
    Type{"m4v", "video/mp4"},
    Type{"map", "application/json"},
    Type{"md", "text/markdown; charset=utf-8"},
    Type{"mid", "audio/midi"},
    Type{"midi", "audio/midi"},
    Type{"mjs", "text/javascript; charset=utf-8"},
    Type{"mkv", "video/x-matroska"},
    Type{"mov", "video/quicktime"},
    Type{"mp3", "audio/mpeg"},
    Type{"mp4", "video/mp4"},
    Type{"mpd", "application/dash+xml"},
    Type{"mpeg", "video/mpeg"},
    Type{"mpg", "video/mpeg"},
    Type{"mpkg", "application/vnd.apple.installer+xml"},
    Type{"ndjson", "application/x-ndjson"},
    Type{"obj", "model/obj"},
    Type{"odp", "application/vnd.oasis.opendocument.presentation"},
    Type{"ods", "application/vnd.oasis.opendocument.spreadsheet"},
    Type{"odt", "application/vnd.oasis.opendocument.text"},
    Type{"oga", "audio/ogg"},
    Type{"ogg", "audio/ogg"},
    Type{"ogv", "video/ogg"},
    Type{"opus", "audio/ogg"},
    Type{"otf", "font/otf"},
    Type{"pdf", "application/pdf"},
    Type{"pem", "application/x-pem-file"},
    Type{"png", "image/png"},
    Type{"ppt", "application/vnd.ms-powerpoint"},
    Type{"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    Type{"ps", "application/postscript"},
    Type{"py", "text/x-python; charset=utf-8"},
    Type{"rar", "application/vnd.rar"},
    Type{"rpm", "application/x-rpm"},
    Type{"rss", "application/rss+xml"},
    Type{"rtf", "application/rtf"},
    Type{"sh", "application/x-sh"},
    Type{"sql", "application/sql"},
    Type{"srt", "application/x-subrip"},
    Type{"stl", "model/stl"},
    Type{"svg", "image/svg+xml"},
    Type{"swf", "application/x-shockwave-flash"},
    Type{"tar", "application/x-tar"},
    Type{"tex", "application/x-tex"},
    Type{"tgz", "application/gzip"},
    Type{"tif", "image/tiff"},
    Type{"tiff", "image/tiff"},
    Type{"toml", "application/toml"},
    Type{"topojson", "application/json"},
    Type{"ts", "video/mp2t"},
    Type{"tsv", "text/tab-separated-values; charset=utf-8"},
    Type{"ttc", "font/collection"},
    Type{"ttf", "font/ttf"},
    Type{"txt", "text/plain; charset=utf-8"},
    Type{"usdz", "model/vnd.usdz+zip"},
    Type{"vcf", "text/vcard; charset=utf-8"},
    Type{"vsd", "application/vnd.visio"},
    Type{"vtt", "text/vtt; charset=utf-8"},
    Type{"wasm", "application/wasm"},
    Type{"wav", "audio/wav"},
    Type{"wbmp", "image/vnd.wap.wbmp"},
    Type{"weba", "audio/webm"},
    Type{"webm", "video/webm"},
    Type{"webmanifest", "application/manifest+json"},
    Type{"webp", "image/webp"},
    Type{"wma", "audio/x-ms-wma"},
    Type{"wmv", "video/x-ms-wmv"},
    Type{"woff", "font/woff"},
    Type{"woff2", "font/woff2"},
    Type{"xhtml", "application/xhtml+xml"},
    Type{"xls", "application/vnd.ms-excel"},
    Type{"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    Type{"xml", "application/xml"},
    Type{"xpi", "application/x-xpinstall"},
    Type{"xsd", "application/xml"},
    Type{"xsl", "application/xml"},
    Type{"xslt", "application/xslt+xml"},
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

std::string_view extension_of(std::string_view path) noexcept {
  const std::size_t end = path.find_last_of("./");
  return end == path.npos || path[end] == '/' ? std::string_view() : path.substr(end + 1);
}

std::string_view media_type_of(std::string_view name) noexcept {
  const std::string_view extension = extension_of(name);
  if (extension.empty() || extension.size() > extension_bytes_max) return unknown;
  std::array<char, extension_bytes_max> lower;
  std::size_t size = 0;
  for (const char c : extension)
    lower[size++] = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  const Type wanted{{lower.data(), size}, {}};
  const auto found = std::lower_bound(types.begin(), types.end(), wanted, before);
  return found != types.end() && found->extension == wanted.extension ? found->type : unknown;
}

}  // namespace millrace::files
