// parameters.hpp: walks the parameters of a field value: `; name=value; name="value"`.
// Source: RFC 9110 section 5.6.6; quoting as in RFC 7578 section 4.2 and the browsers.
#pragma once

#include <string>
#include <string_view>

namespace millrace::http {

/// Gives each parameter in order, its value without quotes.
///
/// In quotes `\"` is a quote and `\\` a backslash. Any other backslash stays, because some clients send
/// the path of a Windows machine as the name of a file, without escaping it.
class ParameterReader {
 public:
  /// text: what stands behind the value itself, from its first semicolon on, or nothing.
  explicit ParameterReader(std::string_view text) noexcept : rest_(text) {}

  /// False at the end, or where the text is malformed. An empty parameter (`;;`) is passed over.
  bool next();
  bool malformed() const noexcept { return malformed_; }
  std::string_view name() const noexcept { return name_; }      ///< As sent: compare without case.
  const std::string& value() const noexcept { return value_; }  ///< Until the next next().

 private:
  bool read_quoted();

  std::string_view rest_;
  std::string_view name_;
  std::string value_;
  bool malformed_ = false;
};

/// The value before its first parameter, without the white space around it: "form-data".
std::string_view value_before_parameters(std::string_view text) noexcept;

}  // namespace millrace::http
