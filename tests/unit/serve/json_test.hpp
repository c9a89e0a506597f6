// json_test.hpp: reads and writes JSON as millrace::Json and millrace::json do, without a request.
#pragma once

#include <millrace/detail/json_read.hpp>
#include <millrace/detail/json_write.hpp>

#include <string>
#include <string_view>

namespace millrace::test {

/// Reads `text`; empty, or the message that the client would get.
template <class T>
std::string read(std::string_view text, T& out) {
  const std::string padded = std::string(text) + std::string(64, '\0');
  const std::string_view body(padded.data(), text.size());
  detail::JsonNode root;
  detail::JsonFault fault;
  if (detail::json_parse(body, root, fault) && detail::read_json(root, out, fault)) return {};
  return detail::json_fault_text(body, fault);
}

template <class T>
std::string refusal(std::string_view text) {
  T value{};
  return read(text, value);
}

template <class T>
std::string write(const T& value) {
  std::string out;
  detail::append_json(out, value);
  return out;
}

}  // namespace millrace::test
