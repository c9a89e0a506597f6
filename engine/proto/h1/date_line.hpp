// date_line.hpp: the Date field, kept by the second. Source: RFC 9110 section 6.6.1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/base/clock.hpp"
#include "engine/http/date.hpp"

namespace millrace::h1 {

/// Nanoseconds of wall-clock time since 1970; a function, so that a simulated core has its own.
using WallClock = TimeNs (*)() noexcept;
TimeNs system_wall_clock() noexcept;

/// "HTTP/1.1 200 OK\r\nDate: ...\r\n", rendered once a second: the reply that is sent most starts with it.
/// Other replies take the Date line from its end.
class DateLine {
 public:
  static constexpr std::string_view ok_line = "HTTP/1.1 200 OK\r\n";
  static constexpr std::size_t line_bytes = 6 + http::date_bytes + 2;
  static constexpr std::size_t ok_bytes = 17 + line_bytes;
  static_assert(ok_line.size() == 17);
  static constexpr std::string_view plain_fields =
      "Content-Type: text/plain; charset=utf-8\r\nContent-Length: ";
  static constexpr std::size_t plain_bytes = ok_bytes + plain_fields.size();

  explicit DateLine(WallClock clock) noexcept;

  /// Once a turn. Reads the wall clock only when the second may have changed.
  void refresh(TimeNs now) noexcept {
    if (now >= next_) [[unlikely]]
      render(now);
  }
  const char* ok() const noexcept { return text_; }
  /// ok() and the fields of a plain text, up to its length.
  const char* plain() const noexcept { return text_; }
  const char* line() const noexcept { return text_ + ok_line.size(); }
  const char* value() const noexcept { return text_ + ok_line.size() + 6; }

 private:
  void render(TimeNs now) noexcept;

  WallClock clock_;
  TimeNs next_ = 0;
  char text_[plain_bytes];
};

}  // namespace millrace::h1
