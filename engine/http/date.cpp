#include "engine/http/date.hpp"

#include <array>
#include <cstring>

#include "engine/base/assert.hpp"
#include "engine/http/char_class.hpp"

namespace millrace::http {

namespace {

constexpr std::int64_t day_seconds = 86'400;
constexpr std::array<std::string_view, 7> days = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                  "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct Civil {
  int year = 0, month = 0, day = 0;  ///< Month and day from 1.
  int hour = 0, minute = 0, second = 0;
};

// The Gregorian calendar counted from March, so that the leap day comes last in its year: a year of
// an era of 400 years then begins on day 365 y + y/4 - y/100, and a month on day (153 m + 2) / 5.
constexpr std::int64_t era_days = 146'097;
constexpr std::int64_t days_to_epoch = 719'468;  // From 0000-03-01 to 1970-01-01.

constexpr std::int64_t days_of(int year, int month, int day) noexcept {
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t year_of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const std::int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * era_days + day_of_era - days_to_epoch;
}
static_assert(days_of(1970, 1, 1) == 0 && days_of(2000, 3, 1) == 11'017);

constexpr Civil civil_of(std::int64_t unix_seconds) noexcept {
  std::int64_t day_number = unix_seconds / day_seconds;
  std::int64_t second = unix_seconds % day_seconds;
  if (second < 0) {
    second += day_seconds;
    --day_number;
  }
  const std::int64_t shifted = day_number + days_to_epoch;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - (era_days - 1)) / era_days;
  const std::int64_t of_era = shifted - era * era_days;
  const std::int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36'524 - of_era / 146'096) / 365;
  const std::int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month_from_march = (5 * of_year + 2) / 153;
  Civil civil;
  civil.day = static_cast<int>(of_year - (153 * month_from_march + 2) / 5 + 1);
  civil.month = static_cast<int>(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
  civil.year = static_cast<int>(year_of_era + era * 400 + (civil.month <= 2 ? 1 : 0));
  civil.hour = static_cast<int>(second / 3600);
  civil.minute = static_cast<int>(second / 60 % 60);
  civil.second = static_cast<int>(second % 60);
  return civil;
}

constexpr std::int64_t seconds_of(const Civil& civil) noexcept {
  return days_of(civil.year, civil.month, civil.day) * day_seconds + civil.hour * 3600 + civil.minute * 60 +
         civil.second;
}

bool valid(const Civil& civil) noexcept {
  constexpr std::array<int, 12> lengths = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (civil.year < 1 || civil.month < 1 || civil.day < 1) return false;
  const bool leap = civil.year % 4 == 0 && (civil.year % 100 != 0 || civil.year % 400 == 0);
  const int length = lengths[static_cast<unsigned>(civil.month - 1)] + (civil.month == 2 && leap ? 1 : 0);
  return civil.day <= length && civil.hour < 24 && civil.minute < 60 && civil.second <= 60;  // Leap second.
}

/// Reads a date from left to right; the first step that fails makes all later ones fail.
class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : rest_(text) {}

  void literal(std::string_view want) noexcept {
    if (rest_.starts_with(want)) return rest_.remove_prefix(want.size());
    ok_ = false;
  }
  int number(unsigned digits) noexcept {
    int value = 0;
    if (rest_.size() < digits) ok_ = false;
    for (unsigned i = 0; ok_ && i < digits; ++i) {
      if (!is_class(rest_[i], char_class::digit)) ok_ = false;
      value = value * 10 + (rest_[i] - '0');
    }
    if (ok_) rest_.remove_prefix(digits);
    return value;
  }
  /// From 1; 0 where none fits.
  int month() noexcept {
    for (unsigned i = 0; i < months.size(); ++i) {
      if (!rest_.starts_with(months[i])) continue;
      rest_.remove_prefix(3);
      return static_cast<int>(i) + 1;
    }
    ok_ = false;
    return 0;
  }
  void time(Civil& civil) noexcept {
    civil.hour = number(2);
    literal(":");
    civil.minute = number(2);
    literal(":");
    civil.second = number(2);
  }
  /// asctime pads a day below ten with a space.
  int padded_day() noexcept {
    if (!rest_.starts_with(' ')) return number(2);
    literal(" ");
    return number(1);
  }
  bool done() const noexcept { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

/// RFC 9110 section 5.6.7: of the years that end so, the latest at most 50 years ahead of now.
void place_in_century(Civil& civil, std::int64_t now_seconds) noexcept {
  Civil horizon = civil_of(now_seconds);
  horizon.year += 50;
  civil.year += horizon.year / 100 * 100;
  if (seconds_of(civil) > seconds_of(horizon)) civil.year -= 100;
}

void put_two(char* out, int value) noexcept {
  out[0] = static_cast<char>('0' + value / 10);
  out[1] = static_cast<char>('0' + value % 10);
}

}  // namespace

void write_date(std::int64_t unix_seconds, char* out) noexcept {
  const Civil civil = civil_of(unix_seconds);
  MR_ASSERT(civil.year >= 1 && civil.year <= 9999);
  const std::int64_t day_number = days_of(civil.year, civil.month, civil.day);
  const auto weekday = static_cast<unsigned>(((day_number + 4) % 7 + 7) % 7);  // 1970 began on a Thursday.
  std::memcpy(out, "Sun, 00 Jan 0000 00:00:00 GMT", date_bytes);
  std::memcpy(out, days[weekday].data(), 3);
  put_two(out + 5, civil.day);
  std::memcpy(out + 8, months[static_cast<unsigned>(civil.month - 1)].data(), 3);
  put_two(out + 12, civil.year / 100);
  put_two(out + 14, civil.year % 100);
  put_two(out + 17, civil.hour);
  put_two(out + 20, civil.minute);
  put_two(out + 23, civil.second);
}

std::optional<std::int64_t> read_date(std::string_view text, std::int64_t now_seconds) noexcept {
  // The weekday tells the three forms apart; whether it is the right one for the day is not asked.
  std::string_view day;
  for (const std::string_view name : days) {
    if (text.starts_with(name.substr(0, 3))) day = name;
  }
  if (day.empty()) return std::nullopt;
  const bool whole_name = text.starts_with(day);
  text.remove_prefix(whole_name ? day.size() : 3);

  Reader reader(text);
  Civil civil;
  if (whole_name) {  // "Sunday, 06-Nov-94 08:49:37 GMT"
    reader.literal(", ");
    civil.day = reader.number(2);
    reader.literal("-");
    civil.month = reader.month();
    reader.literal("-");
    civil.year = reader.number(2);
    reader.literal(" ");
    reader.time(civil);
    reader.literal(" GMT");
    if (reader.done()) place_in_century(civil, now_seconds);
  } else if (text.starts_with(',')) {  // "Sun, 06 Nov 1994 08:49:37 GMT"
    reader.literal(", ");
    civil.day = reader.number(2);
    reader.literal(" ");
    civil.month = reader.month();
    reader.literal(" ");
    civil.year = reader.number(4);
    reader.literal(" ");
    reader.time(civil);
    reader.literal(" GMT");
  } else {  // "Sun Nov  6 08:49:37 1994"
    reader.literal(" ");
    civil.month = reader.month();
    reader.literal(" ");
    civil.day = reader.padded_day();
    reader.literal(" ");
    reader.time(civil);
    reader.literal(" ");
    civil.year = reader.number(4);
  }
  if (!reader.done() || !valid(civil)) return std::nullopt;
  return seconds_of(civil);
}

}  // namespace millrace::http
