// result.hpp: operating errors as values.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include "engine/base/assert.hpp"

namespace millrace {

/// What went wrong. One name a cause, so that a counter or a test can tell them apart.
enum class Errc : std::uint16_t {
  ok = 0,
  need_more,  ///< Not an error: the input is cut; call again with more of it.
  // Request head (RFC 9112 sections 2, 3 and 5).
  bad_request_line,
  bad_method,
  bad_target,
  bad_version,
  version_unsupported,
  method_unknown,
  target_too_long,
  bad_field_name,
  bad_field_value,
  bad_line_end,
  obsolete_fold,
  fields_too_many,
  head_too_large,
  bad_host,
  // Response head (RFC 9112 section 4), as a client reads it.
  bad_status_line,
  // Message body (RFC 9112 sections 6 and 7).
  bad_content_length,
  bad_transfer_encoding,
  transfer_coding_unknown,
  bad_chunk,
  bad_trailer,
  trailers_too_large,
  body_too_large,
  expectation_unknown,
  // Target and its parts (RFC 3986).
  bad_percent_encoding,
  // Forms (RFC 7578).
  bad_multipart,
  parts_too_many,
  part_head_too_large,
  // Connection.
  timeout,
  peer_closed,
  peer_reset,
  limit_reached,
  // Machine.
  system,  ///< `os_errno` says which.
  unsupported,
  bad_configuration,
};

/// An operating error: expected, returned, handled.
struct [[nodiscard]] Error {
  Errc code = Errc::ok;
  std::uint16_t status = 0;   ///< HTTP status to answer with; 0: close without an answer.
  std::int32_t os_errno = 0;  ///< Positive errno; 0: the kernel was not involved.

  constexpr bool failed() const noexcept { return code != Errc::ok; }
  friend constexpr bool operator==(const Error&, const Error&) = default;
};
static_assert(sizeof(Error) == 8, "Error travels in one register");

/// A value, or the Error that took its place.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit by design
  Result(Error error) : held_(std::in_place_index<1>, error) { MR_ASSERT(error.failed()); }  // NOLINT

  bool ok() const noexcept { return held_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  T& value() & noexcept { return *checked(); }
  const T& value() const& noexcept { return *const_cast<Result*>(this)->checked(); }
  T&& value() && noexcept { return std::move(*checked()); }
  T* operator->() noexcept { return checked(); }
  T& operator*() noexcept { return *checked(); }

  /// Errc::ok where there is a value.
  Error error() const noexcept {
    const Error* error = std::get_if<1>(&held_);
    return error != nullptr ? *error : Error{};
  }

 private:
  T* checked() noexcept {
    MR_ASSERT(ok());
    return std::get_if<0>(&held_);
  }
  std::variant<T, Error> held_;
};

/// A short, stable, lower-case name for logs and counters: "bad_chunk".
const char* name_of(Errc code) noexcept;

}  // namespace millrace
