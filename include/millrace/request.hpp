// request.hpp: what a handler sees of a request.
#pragma once

#include <millrace/body.hpp>
#include <millrace/namespace.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

class Events;
class Response;
class Stream;

namespace proto {
class Exchange;
}
class FormData;
struct FormFile;
struct FormLimits;

/// A handle on the request under way. Views it gives stay valid until the handler, or its coroutine,
/// ends. Used by the core's thread alone. Lookups read the raw bytes when asked, and keep nothing.
class Request {
 public:
  explicit Request(proto::Exchange* exchange) noexcept : exchange_(exchange) {}
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  /// The request method, as sent: "GET".
  std::string_view method() const noexcept;
  /// The target as sent, undecoded; for a path with escapes, rewritten where decoding happened in place.
  std::string_view target() const noexcept;
  /// The percent-decoded path. O(1).
  std::string_view path() const noexcept;
  /// The raw query, without the `?`.
  std::string_view query() const noexcept;
  /// The decoded value of the first query parameter with that (decoded) name; decoding may allocate.
  std::optional<std::string> query(std::string_view name) const;

  /// The first field of that name, case-insensitively; nothing where there is none. O(fields).
  std::optional<std::string_view> header(std::string_view name) const noexcept;
  std::size_t header_count() const noexcept;
  /// index < header_count().
  std::string_view header_name(std::size_t index) const noexcept;
  std::string_view header_value(std::size_t index) const noexcept;
  /// The value of a cookie, as sent (RFC 6265 section 5.4).
  std::optional<std::string_view> cookie(std::string_view name) const noexcept;
  /// The first trailer field of that name, after a chunked body.
  std::optional<std::string_view> trailer(std::string_view name) const noexcept;

  /// The body: a std::string_view where the handler is no coroutine, else read with co_await; see mr::Body.
  Body body() const noexcept { return Body(*this); }

#ifdef __cpp_exceptions
  /// Begins a reply that is written in parts; its head leaves at once. Only in a coroutine, and once: else
  /// throws std::logic_error. length_bytes: of all parts together, where it is known. See mr::Stream.
  Stream stream(std::string_view content_type, std::uint64_t length_bytes = ~std::uint64_t{0}) const;
  Stream stream(const char* content_type, std::uint64_t length_bytes = ~std::uint64_t{0}) const;
  /// As above, with the status, fields and content type of `head`; its body is left out.
  Stream stream(const Response& head, std::uint64_t length_bytes = ~std::uint64_t{0}) const;
  /// Begins a stream of server-sent events; after each `heartbeat` of silence a comment is sent, so that
  /// proxies keep the connection and a client that is gone is noticed; zero: none. See mr::Events.
  Events events(std::chrono::nanoseconds heartbeat = std::chrono::seconds(15)) const;
#endif

  /// The body as a form: urlencoded, or multipart. Read anew by each call; throws mr::HttpError where the
  /// body is no form (415), a malformed one (400) or over a limit (413). In a coroutine: after awaiting
  /// body().whole(). See mr::FormData; part by part: mr::Multipart.
  FormData form() const;
  FormData form(const FormLimits& limits) const;
  /// The files of form() alone.
  std::vector<FormFile> files() const;

  /// Host and port of the target or the Host field; port 0 where none was given.
  std::string_view host() const noexcept;
  std::uint16_t port() const noexcept;
  /// "203.0.113.7:51000", "[2001:db8::7]:51000", "unix:". Costs a system call.
  std::string remote_address() const;
  /// True where the request came over TLS; false again once the client has left.
  bool secure() const noexcept;
  /// The subject of the client's certificate, verified: "CN=alice,O=Example" (RFC 4514). Empty where it
  /// showed none (ServerOptions::tls_client_auth), and once it has left. Made when asked for.
  std::string client_certificate() const;
  bool keep_alive() const noexcept;
  /// The pattern of the route that matched; empty in the handler of a 404.
  std::string_view route() const noexcept;
  std::size_t parameter_count() const noexcept;
  /// index < parameter_count(); decoded.
  std::string_view parameter(std::size_t index) const noexcept;

  /// What the request is called in logs, and between services: its X-Request-Id, where that is one (1 to 128
  /// letters, digits and -._~+/=:@), else 32 hexadecimal digits made for it. Empty where the route has no
  /// middleware. See mr::request_id().
  std::string_view id() const noexcept;

  /// A pointer of the application's own, until the request is done.
  void set_user_data(void* data) noexcept;
  void* user_data() const noexcept;
  /// Calls `callback(user_data())` once, when the reply has been handed over or the request was cancelled.
  void on_done(void (*callback)(void* user_data) noexcept) noexcept;

  /// The engine's own; not for applications.
  proto::Exchange& exchange() const noexcept { return *exchange_; }

 private:
  proto::Exchange* exchange_;
};

}  // namespace millrace
