// Goal: the parameters of a field value, quoted and not, and what clients make of quoting.
#include "engine/http/parameters.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace millrace::http;

namespace {

/// "name=value|name=value|", and "!" at the end where the text is malformed.
std::string read(std::string_view text) {
  std::string out;
  ParameterReader parameters(text);
  while (parameters.next()) out.append(parameters.name()).append("=").append(parameters.value()).append("|");
  if (parameters.malformed()) out += "!";
  return out;
}

}  // namespace

TEST_CASE("parameters: what is read") {
  using namespace std::string_view_literals;
  struct Case {
    std::string_view text, want;
  };
  static constexpr Case cases[] = {
      {"", ""},
      {"  ", ""},
      {"; a=b", "a=b|"},
      {";a=b;c=d", "a=b|c=d|"},
      {"; a=b ; ; c=\"d\" ", "a=b|c=d|"},
      {"; a=\"\"", "a=|"},
      {R"(; a="x\"y\\z")", R"(a=x"y\z|)"},
      {R"(; a="C:\dir\file.txt")", R"(a=C:\dir\file.txt|)"},
      {R"(; a="b;c=d"; e=f)", "a=b;c=d|e=f|"},
      {"; a=\"\xc3\xa9\"", "a=\xc3\xa9|"},
      {"; filename*=utf-8''x", "filename*=utf-8''x|"},
      {"a=b", "!"},
      {"; a", "!"},
      {"; a=", "!"},
      {"; =b", "!"},
      {"; a =b", "!"},
      {"; a= b", "!"},
      {"; a=\"b", "!"},
      {R"(; a="b\")", "!"},
      {R"(; a="b\)", "!"},
      {"; a=\"b\0\""sv, "!"},
      {"; a=\"b\r\nc\"", "!"},
      {"; a=b c=d", "a=b|!"},
      {"; a=\"b\"c", "a=b|!"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK(read(c.text) == c.want);
  }
}

TEST_CASE("parameters: the value before them") {
  CHECK(value_before_parameters("form-data; name=a") == "form-data");
  CHECK(value_before_parameters(" text/plain ; x") == "text/plain");
  CHECK(value_before_parameters("text/plain") == "text/plain");
  CHECK(value_before_parameters("") == "");
  CHECK(value_before_parameters("  ") == "");
  CHECK(value_before_parameters(";a=b") == "");
}
