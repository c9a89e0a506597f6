// filename.cpp: names of files, as clients send them and as they are stored.
#include <millrace/form.hpp>

#include <algorithm>

namespace millrace {
namespace {

constexpr std::size_t filename_bytes_max = 255;  // NAME_MAX, in <limits.h>.
constexpr std::size_t extension_bytes_max = 16;
constexpr std::size_t sequence_bytes_max = 4;  // Of UTF-8.

bool continues_sequence(char byte) noexcept { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

/// Cuts to a size, but not within a UTF-8 sequence. Bytes that are none are cut anywhere, or nothing may be left.
std::string_view cut(std::string_view text, std::size_t bytes_max) noexcept {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (bytes_max - end < sequence_bytes_max - 1 && continues_sequence(text[end])) --end;
  return text.substr(0, continues_sequence(text[end]) ? bytes_max : end);
}

/// Without what no name ends with.
std::string_view trimmed(std::string_view text) noexcept {
  return text.substr(0, text.find_last_not_of(". ") + 1);
}

std::string shortened(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  const bool has_extension = dot != std::string::npos && name.size() - dot <= extension_bytes_max;
  const std::string_view extension = has_extension ? std::string_view(name).substr(dot) : std::string_view();
  std::string out(trimmed(cut(name, filename_bytes_max - extension.size())));
  return out.append(extension);
}

}  // namespace

std::string safe_filename(std::string_view sent) {
  sent.remove_prefix(std::min(sent.find_last_of("/\\") + 1, sent.size()));  // npos + 1 is 0.
  std::string name;
  for (const char byte : sent) {
    const bool control = static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f;
    if (control) continue;
    name += std::string_view(":*?\"<>|").find(byte) != std::string_view::npos ? '_' : byte;
  }
  const std::size_t begin = std::min(name.find_first_not_of(". "), name.size());
  name = std::string(trimmed(std::string_view(name).substr(begin)));
  if (name.empty()) return "file";
  return name.size() > filename_bytes_max ? shortened(name) : name;
}

}  // namespace millrace
