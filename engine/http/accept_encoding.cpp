#include "engine/http/accept_encoding.hpp"

#include <algorithm>

#include "engine/http/char_class.hpp"
#include "engine/http/framing.hpp"
#include "engine/http/list.hpp"

namespace millrace::http {
namespace {

constexpr std::array<std::string_view, coding_count> names = {"identity", "gzip", "zstd", "br"};
constexpr std::int16_t malformed = -1;

std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// qvalue = "0" or "1", and up to three digits; in thousandths.
std::int16_t read_quality(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return malformed;
  if (text.size() > 1 && text[1] != '.') return malformed;
  int value = text[0] == '1' ? 1000 : 0;
  int weight = 100;
  for (std::size_t at = 2; at < text.size(); ++at, weight /= 10) {
    if (!is_class(text[at], char_class::digit)) return malformed;
    value += (text[at] - '0') * weight;
  }
  return value > 1000 ? malformed : static_cast<std::int16_t>(value);
}

/// The weight behind a name: ";q=0.5", or nothing.
std::int16_t read_weight(std::string_view rest) noexcept {
  if (rest.empty()) return 1000;
  rest = trim(rest.substr(1));
  if (rest.size() < 2 || (rest[0] != 'q' && rest[0] != 'Q') || rest[1] != '=') return malformed;
  return read_quality(rest.substr(2));
}

}  // namespace

std::string_view name_of(Coding coding) noexcept { return names[static_cast<std::size_t>(coding)]; }

void AcceptedCodings::add(std::string_view field) noexcept {
  ListReader list(field);
  for (std::string_view element; list.next(element);) {
    const std::size_t semicolon = std::min(element.find(';'), element.size());
    const std::string_view name = trim(element.substr(0, semicolon));
    const std::int16_t quality = read_weight(element.substr(semicolon));
    if (quality == malformed) continue;
    if (name == "*") {
      others_ = quality;
      continue;
    }
    // RFC 9110 section 8.4.1.3: x-gzip is gzip.
    const std::string_view known = equal_ignoring_case(name, "x-gzip") ? "gzip" : name;
    for (std::size_t index = 0; index < names.size(); ++index) {
      if (equal_ignoring_case(known, names[index])) said_[index] = quality;
    }
  }
}

std::uint16_t AcceptedCodings::quality(Coding coding) const noexcept {
  const std::int16_t said = said_[static_cast<std::size_t>(coding)];
  if (said != unsaid) return static_cast<std::uint16_t>(said);
  if (others_ != unsaid) return static_cast<std::uint16_t>(others_);
  return coding == Coding::identity ? 1 : 0;
}

}  // namespace millrace::http
