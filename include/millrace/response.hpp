// response.hpp: what a handler answers, when a text alone does not say it.
//
//   return mr::Response("gone fishing").status(503).header("Retry-After", "3600");
#pragma once

#include <millrace/namespace.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace millrace {

namespace detail {
class HeldSource;
}
namespace serve {
struct ResponseParts;
}

enum class SameSite : std::uint8_t { unset, strict, lax, none };

/// Attributes of a cookie. Source: RFC 6265 section 4.1; its successor's draft for SameSite and prefixes.
///
/// What a browser would drop without a word makes the response invalid: a name that begins with __Secure-
/// asks for secure, one with __Host- for secure, the path "/" and no domain.
struct CookieOptions {
  std::string path = "/";
  std::string domain = {};                           ///< Empty: this host alone.
  std::optional<std::chrono::seconds> max_age = {};  ///< Not set: until the browser closes; 0: forget it now.
  /// For clients that know no Max-Age; beside one it does not count. Years 1601 to 9999.
  std::optional<std::chrono::sys_seconds> expires = {};
  bool secure = false;                 ///< Over https only.
  bool http_only = true;               ///< Not for scripts.
  SameSite same_site = SameSite::lax;  ///< `none` makes it secure.
  bool partitioned = false;  ///< A jar of its own for each site it is embedded in (CHIPS); makes it secure.
};

/// Status, fields and body. Moves cheaply. Each setter gives the response back, so that they chain.
///
/// What a handler must not send (a CR, LF or NUL in a field, a name that is no token, a status outside
/// 200 to 599, more than fields_bytes_max of fields) makes the response invalid: the client gets a 500
/// in its place, with nothing of it, and the log says why.
class Response {
 public:
  static constexpr std::size_t fields_bytes_max = 32 * 1024;

  Response() = default;
  /// A text, as text() sets it.
  Response(std::string body) {
    text(std::move(body));
  }  // NOLINT: implicit, so that a handler may return one.
  Response(std::string_view body) : Response(std::string(body)) {}  // NOLINT
  Response(const char* body) : Response(std::string(body)) {}       // NOLINT

  /// 200 to 599; 200 where none is set.
  Response& status(unsigned code) &;
  Response&& status(unsigned code) && { return std::move(status(code)); }

  /// Adds a field; the same name again adds a second line. Content-Type replaces; Connection may only be
  /// "close"; Content-Length, Transfer-Encoding and Keep-Alive belong to the engine: invalid.
  Response& header(std::string_view name, std::string_view value) &;
  Response&& header(std::string_view name, std::string_view value) && {
    return std::move(header(name, value));
  }

  /// Adds a Set-Cookie field. The value is sent as it is: no spaces, quotes, commas, semicolons.
  Response& cookie(std::string_view name, std::string_view value, const CookieOptions& options = {}) &;
  Response&& cookie(std::string_view name, std::string_view value, const CookieOptions& options = {}) && {
    return std::move(cookie(name, value, options));
  }

  /// Empty: no Content-Type field.
  Response& content_type(std::string_view type) &;
  Response&& content_type(std::string_view type) && { return std::move(content_type(type)); }

  /// The body, as text/plain; charset=utf-8.
  Response& text(std::string body) & { return bytes(std::move(body), "text/plain; charset=utf-8"); }
  Response&& text(std::string body) && { return std::move(text(std::move(body))); }

  /// The body, of any type.
  Response& bytes(std::string body, std::string_view type = "application/octet-stream") &;
  Response&& bytes(std::string body, std::string_view type = "application/octet-stream") && {
    return std::move(bytes(std::move(body), type));
  }

  /// Adds a Content-Disposition field: to be saved, under that name (UTF-8); empty: without a name.
  Response& attachment(std::string_view filename = {}) &;
  Response&& attachment(std::string_view filename = {}) && { return std::move(attachment(filename)); }

  /// The connection ends behind this reply.
  Response& close() & {
    close_ = true;
    return *this;
  }
  Response&& close() && { return std::move(close()); }

  unsigned status() const noexcept { return status_ != 0 ? status_ : 200; }
  bool has_status() const noexcept { return status_ != 0; }
  std::string_view content_type() const noexcept { return content_type_; }
  std::string_view body() const noexcept { return body_; }
  /// Every field but Content-Type, as lines: "Name: value\r\n"...
  std::string_view fields() const noexcept { return fields_; }
  /// The body is a file's, and not here: body() is empty. Setting a body replaces it.
  bool body_elsewhere() const noexcept { return held_ != nullptr; }
  bool closes() const noexcept { return close_; }
  bool has_date() const noexcept { return has_date_; }
  /// Null for a valid response, or what is wrong with it.
  const char* problem() const noexcept { return problem_; }
  /// Makes it invalid; the first problem is the one that is told. problem: a literal.
  void refuse(const char* problem) noexcept;

 private:
  friend serve::ResponseParts;
  void add_line(std::string_view name, std::string_view value);

  std::string body_;
  std::string fields_;
  std::string content_type_;
  std::shared_ptr<detail::HeldSource> held_;
  const char* problem_ = nullptr;
  std::uint16_t status_ = 0;  ///< 0: not set.
  bool close_ = false;
  bool has_date_ = false;
};

}  // namespace millrace
