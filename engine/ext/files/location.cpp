#include "engine/ext/files/location.hpp"

#include <cstddef>

namespace millrace::files {
namespace {

constexpr std::string_view digits = "0123456789ABCDEF";

/// pchar of RFC 3986 without the escape, and the slash.
bool plain(char c) noexcept {
  constexpr std::string_view marks = "-._~!$&'()*+,;=:@/";
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         marks.find(c) != marks.npos;
}

/// Writes into a span; remembers that it was too small.
class Writer {
 public:
  explicit Writer(std::span<char> out) noexcept : out_(out) {}
  void put(char c) noexcept {
    if (size_ < out_.size()) out_[size_] = c;
    ++size_;
  }
  void put(std::string_view text) noexcept {
    for (const char c : text) put(c);
  }
  void put_escaped(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    put('%');
    put(digits[byte >> 4]);
    put(digits[byte & 15]);
  }
  std::string_view text() const noexcept {
    return size_ <= out_.size() ? std::string_view(out_.data(), size_) : std::string_view();
  }

 private:
  std::span<char> out_;
  std::size_t size_ = 0;
};

}  // namespace

std::string_view write_location(const http::Target& target, std::span<char> out) noexcept {
  Writer writer(out);
  writer.put("Location: ");
  for (const char c : target.path) plain(c) ? writer.put(c) : writer.put_escaped(c);
  writer.put('/');
  if (!target.query.empty()) {
    writer.put('?');
    writer.put(target.query);
  }
  writer.put("\r\n");
  return writer.text();
}

void append_escaped_path(std::string& out, std::string_view name) {
  for (const char c : name) {
    if (plain(c) && c != ':' && c != '\'' && c != '&') {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    (out += '%') += digits[byte >> 4];
    out += digits[byte & 15];
  }
}

}  // namespace millrace::files
