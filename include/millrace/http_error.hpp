// http_error.hpp: an exception that says what to answer.
//
//   throw mr::HttpError(404, "there is no such item");
#pragma once

#include <millrace/namespace.hpp>

#include <cstdint>
#include <exception>
#include <string>
#include <utility>

namespace millrace {

/// Thrown by a handler, or by what it calls: answered with the status, by the application's page for it, or
/// with the message as a text. The engine's own are of this type too, so that a handler needs no `catch`.
class HttpError : public std::exception {
 public:
  /// status: 400 to 599; any other is answered as 500. message: for the client; empty: "404 Not Found\n".
  explicit HttpError(unsigned status, std::string message = {})
      : message_(std::move(message)),
        status_(static_cast<std::uint16_t>(status >= 400 && status <= 599 ? status : 500)) {}

  std::uint16_t status() const noexcept { return status_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
  std::uint16_t status_;
};

}  // namespace millrace
