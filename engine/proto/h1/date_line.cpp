#include "engine/proto/h1/date_line.hpp"

#include <time.h>

#include <cstring>

namespace millrace::h1 {

TimeNs system_wall_clock() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return static_cast<TimeNs>(time.tv_sec) * ns_per_s + static_cast<TimeNs>(time.tv_nsec);
}

DateLine::DateLine(WallClock clock) noexcept : clock_(clock) {
  std::memcpy(text_, ok_line.data(), ok_line.size());
  std::memcpy(text_ + ok_line.size(), "Date: ", 6);
  std::memcpy(text_ + ok_bytes - 2, "\r\n", 2);
  std::memcpy(text_ + ok_bytes, plain_fields.data(), plain_fields.size());
  render(0);
  next_ = 0;  // The first turn knows its own time.
}

void DateLine::render(TimeNs now) noexcept {
  const TimeNs wall = clock_();
  http::write_date(static_cast<std::int64_t>(wall / ns_per_s), text_ + ok_line.size() + 6);
  next_ = now + (ns_per_s - wall % ns_per_s);
}

}  // namespace millrace::h1
