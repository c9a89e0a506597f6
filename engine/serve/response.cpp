// response.cpp: judges what a handler wants to send, before any of it is kept.
// Source: RFC 9110 section 5.5.
#include <millrace/response.hpp>

#include <string>

#include "engine/http/framing.hpp"
#include "engine/serve/field_rules.hpp"

namespace millrace {
namespace {

using serve::too_many_fields;
using serve::valid_value;

}  // namespace

// The first problem is the one to tell.
void Response::refuse(const char* problem) noexcept {
  if (problem_ == nullptr) problem_ = problem;
}

void Response::add_line(std::string_view name, std::string_view value) {
  const std::size_t bytes = name.size() + value.size() + 4;
  if (content_type_.size() + fields_.size() + bytes > fields_bytes_max) return refuse(too_many_fields);
  fields_.append(name).append(": ").append(value).append("\r\n");
}

Response& Response::status(unsigned code) & {
  if (code < 200 || code > 599) {
    refuse("the response has a status outside 200 to 599");
  } else {
    status_ = static_cast<std::uint16_t>(code);
  }
  return *this;
}

Response& Response::header(std::string_view name, std::string_view value) & {
  const auto is = [name](std::string_view other) { return http::equal_ignoring_case(name, other); };
  if (const char* problem = serve::field_problem(name, value)) {
    refuse(problem);
  } else if (is("content-type")) {
    content_type(value);
  } else if (is("connection")) {
    close_ = true;
  } else {
    has_date_ = has_date_ || is("date");
    add_line(name, value);
  }
  return *this;
}

Response& Response::content_type(std::string_view type) & {
  if (!valid_value(type)) {
    refuse("the response has a content type with a control character");
  } else if (type.size() + fields_.size() > fields_bytes_max) {
    refuse(too_many_fields);
  } else {
    content_type_ = type;
  }
  return *this;
}

Response& Response::bytes(std::string body, std::string_view type) & {
  content_type(type);
  body_ = std::move(body);
  held_.reset();
  return *this;
}

}  // namespace millrace
