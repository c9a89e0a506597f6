// list.hpp: walks a comma-separated field value. Source: RFC 9110 section 5.6.1.
#pragma once

#include <string_view>

namespace millrace::http {

/// Gives each element without the white space around it. Empty elements are given too, because some
/// fields must refuse them; a value without a comma is one element, even where it is empty. Commas in
/// quoted strings separate like any other: no field read with this has quoted strings it may accept.
class ListReader {
 public:
  explicit ListReader(std::string_view list) noexcept : rest_(list) {}

  bool next(std::string_view& element) noexcept {
    if (done_) return false;
    const std::size_t comma = rest_.find(',');
    done_ = comma == std::string_view::npos;
    element = trim(rest_.substr(0, comma));
    if (!done_) rest_.remove_prefix(comma + 1);
    return true;
  }

 private:
  static std::string_view trim(std::string_view text) noexcept {
    const auto blank = [](char byte) { return byte == ' ' || byte == '\t'; };
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    return text;
  }

  std::string_view rest_;
  bool done_ = false;
};

}  // namespace millrace::http
