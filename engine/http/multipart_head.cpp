// multipart_head.cpp: what the Content-Type of a form and the heads of its parts say.
#include <algorithm>

#include "engine/http/char_class.hpp"
#include "engine/http/framing.hpp"
#include "engine/http/multipart.hpp"
#include "engine/http/parameters.hpp"

namespace millrace::http {
namespace {

constexpr std::size_t boundary_bytes_max = 70;

/// bchars (RFC 2046 section 5.1.1); a space, but not at the end.
bool valid_boundary(std::string_view boundary) noexcept {
  if (boundary.empty() || boundary.size() > boundary_bytes_max || boundary.back() == ' ') return false;
  return std::all_of(boundary.begin(), boundary.end(), [](char byte) {
    const int lower = byte | 0x20;
    return (lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9') ||
           std::string_view("'()+_,-./:=? ").find(byte) != std::string_view::npos;
  });
}

std::string_view parameters_of(std::string_view value) noexcept {
  return value.substr(std::min(value.find(';'), value.size()));
}

const char* read_disposition(std::string_view value, PartHead& out) {
  if (!equal_ignoring_case(value_before_parameters(value), "form-data")) return "a part is not form-data";
  bool named = false;
  ParameterReader parameters(parameters_of(value));
  while (parameters.next()) {
    if (equal_ignoring_case(parameters.name(), "name")) {
      if (named) return "a part has two names";
      named = true;
      out.name = parameters.value();
    } else if (equal_ignoring_case(parameters.name(), "filename")) {
      if (out.filename) return "a part has two filenames";
      out.filename = parameters.value();
    }  // Others mean nothing here; `filename*` must not be used in a form (RFC 7578 section 4.2).
  }
  if (parameters.malformed()) return "the Content-Disposition of a part is malformed";
  return named ? nullptr : "a part has no name";
}

/// Base64 and quoted-printable are of mail; a form is sent as it is (RFC 7578 section 4.7).
bool is_plain_encoding(std::string_view value) noexcept {
  return equal_ignoring_case(value, "binary") || equal_ignoring_case(value, "8bit") ||
         equal_ignoring_case(value, "7bit");
}

struct Line {
  std::string_view name;
  std::string_view value;
};

/// "Name: value", without its CRLF. False where it is no such line.
bool read_line(std::string_view text, Line& line) noexcept {
  const std::size_t colon = text.find(':');
  if (colon == 0 || colon == std::string_view::npos) return false;
  line.name = text.substr(0, colon);
  std::string_view value = text.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  line.value = value.substr(0, value.find_last_not_of(" \t") + 1);
  return std::all_of(line.name.begin(), line.name.end(),
                     [](char byte) { return is_class(byte, char_class::token); }) &&
         std::none_of(line.value.begin(), line.value.end(),
                      [](char byte) { return is_class(byte, char_class::control); });
}

}  // namespace

bool read_boundary(std::string_view content_type, std::string& out) {
  if (!equal_ignoring_case(value_before_parameters(content_type), "multipart/form-data")) return false;
  bool found = false;
  ParameterReader parameters(parameters_of(content_type));
  while (parameters.next()) {
    if (!equal_ignoring_case(parameters.name(), "boundary")) continue;
    if (found) return false;
    found = true;
    out = parameters.value();
  }
  return found && !parameters.malformed() && valid_boundary(out);
}

const char* read_part_head(std::string_view lines, PartHead& out) {
  out.name.clear();
  out.filename.reset();
  out.content_type.clear();
  bool disposed = false;
  bool typed = false;
  while (!lines.empty()) {
    const std::size_t end = lines.find("\r\n");
    Line line;
    if (end == std::string_view::npos || !read_line(lines.substr(0, end), line))
      return "a line in the head of a part is malformed";
    lines.remove_prefix(end + 2);
    if (equal_ignoring_case(line.name, "content-disposition")) {
      if (disposed) return "a part has two Content-Dispositions";
      disposed = true;
      if (const char* problem = read_disposition(line.value, out)) return problem;
    } else if (equal_ignoring_case(line.name, "content-type")) {
      if (typed) return "a part has two Content-Types";
      typed = true;
      out.content_type = line.value;
    } else if (equal_ignoring_case(line.name, "content-transfer-encoding") &&
               !is_plain_encoding(line.value)) {
      return "a part has a Content-Transfer-Encoding, which forms must not have";
    }
  }
  return disposed ? nullptr : "a part has no Content-Disposition";
}

}  // namespace millrace::http
