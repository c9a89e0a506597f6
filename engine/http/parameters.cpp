#include "engine/http/parameters.hpp"

#include <algorithm>

#include "engine/http/char_class.hpp"

namespace millrace::http {
namespace {

constexpr std::string_view blanks = " \t";

void skip_blanks(std::string_view& text) noexcept {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
}

std::string_view take_token(std::string_view& text) noexcept {
  std::size_t size = 0;
  while (size < text.size() && is_class(text[size], char_class::token)) ++size;
  const std::string_view token = text.substr(0, size);
  text.remove_prefix(size);
  return token;
}

}  // namespace

bool ParameterReader::next() {
  for (;;) {
    skip_blanks(rest_);
    if (rest_.empty() || malformed_) return false;
    malformed_ = true;  // Until the parameter was read whole.
    if (rest_.front() != ';') return false;
    rest_.remove_prefix(1);
    skip_blanks(rest_);
    if (!rest_.empty() && rest_.front() != ';') break;
    malformed_ = false;
  }
  name_ = take_token(rest_);
  if (name_.empty() || !rest_.starts_with('=')) return false;
  rest_.remove_prefix(1);
  if (rest_.starts_with('"')) {
    malformed_ = !read_quoted();
  } else {
    value_ = take_token(rest_);
    malformed_ = value_.empty();
  }
  return !malformed_;
}

bool ParameterReader::read_quoted() {
  value_.clear();
  for (std::size_t at = 1; at < rest_.size(); ++at) {
    char byte = rest_[at];
    if (byte == '"') {
      rest_.remove_prefix(at + 1);
      return true;
    }
    if (is_class(byte, char_class::control)) return false;
    if (byte == '\\' && at + 1 < rest_.size() && (rest_[at + 1] == '"' || rest_[at + 1] == '\\'))
      byte = rest_[++at];
    value_ += byte;
  }
  return false;
}

std::string_view value_before_parameters(std::string_view text) noexcept {
  text = text.substr(0, text.find(';'));
  skip_blanks(text);
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

}  // namespace millrace::http
