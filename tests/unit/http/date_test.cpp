// Goal: the three forms of RFC 9110 section 5.6.7 are read, one is written, and nothing else passes.
#include "engine/http/date.hpp"

#include <doctest/doctest.h>

#include <ctime>
#include <string>

#include "tests/unit/http/support.hpp"

using namespace millrace::http;

namespace {

constexpr std::int64_t example = 784'111'777;  // Sun, 06 Nov 1994 08:49:37 GMT.
constexpr std::int64_t now = 1'800'000'000;    // 2027-01-15.

std::string written(std::int64_t seconds) {
  char out[date_bytes];
  write_date(seconds, out);
  return {out, date_bytes};
}

}  // namespace

TEST_CASE("write_date: known instants") {
  CHECK(written(example) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(written(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(written(-1) == "Wed, 31 Dec 1969 23:59:59 GMT");
  CHECK(written(951'782'400) == "Tue, 29 Feb 2000 00:00:00 GMT");
  CHECK(written(253'402'300'799) == "Fri, 31 Dec 9999 23:59:59 GMT");
  CHECK(written(-62'135'596'800) == "Mon, 01 Jan 0001 00:00:00 GMT");
}

TEST_CASE("write_date: as the C library, over the edges of every year and at random") {
  const auto expected = [](std::int64_t seconds) {
    const std::time_t time = seconds;
    std::tm parts{};
    gmtime_r(&time, &parts);
    char text[64];
    std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);  // The C locale.
    return std::string(text);
  };
  for (int year = 1970; year < 2400; ++year) {
    std::tm parts{};
    parts.tm_year = year - 1900;
    parts.tm_mday = 1;
    const std::int64_t start = timegm(&parts);
    for (const std::int64_t at :
         {start - 1, start, start + 58 * 86'400, start + 59 * 86'400, start + 60 * 86'400}) {
      CHECK(written(at) == expected(at));
    }
  }
  test::Random random(3);
  for (unsigned round = 0; round < 10'000; ++round) {
    const auto at = static_cast<std::int64_t>(random.below(253'402'300'800));
    const std::string text = written(at);
    if (at >= 30'610'224'000) {  // From year 2940 on a four-digit year needs no padding either.
      CHECK(text == expected(at));
    }
    CHECK(read_date(text, now) == at);
  }
}

TEST_CASE("read_date: the three forms") {
  CHECK(read_date("Sun, 06 Nov 1994 08:49:37 GMT", now) == example);
  CHECK(read_date("Sunday, 06-Nov-94 08:49:37 GMT", now) == example);
  CHECK(read_date("Sun Nov  6 08:49:37 1994", now) == example);
  CHECK(read_date("Wed Nov 16 08:49:37 1994", now) == example + 10 * 86'400);
  CHECK(read_date("Tue, 29 Feb 2000 00:00:00 GMT", now) == 951'782'400);
  CHECK(read_date("Sat, 31 Dec 2016 23:59:60 GMT", now) == 1'483'228'800);  // A leap second.
}

TEST_CASE("read_date: two-digit years are at most 50 years ahead") {
  const auto year_of = [](const char* two_digits, std::int64_t at) {
    const auto seconds = read_date(std::string("Sunday, 01-Jan-") + two_digits + " 00:00:00 GMT", at);
    REQUIRE(seconds.has_value());
    return written(*seconds).substr(12, 4);
  };
  CHECK(year_of("27", now) == "2027");
  CHECK(year_of("77", now) == "2077");  // 1 January 2077 is less than 50 years from 15 January 2027.
  CHECK(year_of("78", now) == "1978");
  CHECK(year_of("99", now) == "1999");
  CHECK(year_of("00", now) == "2000");
  CHECK(year_of("70", 0) == "1970");
  CHECK(year_of("20", 0) == "2020");
  CHECK(year_of("21", 0) == "1921");
  constexpr std::int64_t in_2055 = 2'682'374'400;
  CHECK(year_of("05", in_2055) == "2105");
  CHECK(year_of("06", in_2055) == "2006");
}

TEST_CASE("read_date: what is malformed") {
  for (const std::string_view bad : {"",
                                     "x",
                                     "Sun",
                                     "Sun,",
                                     "06 Nov 1994 08:49:37 GMT",
                                     "Sun, 6 Nov 1994 08:49:37 GMT",
                                     "Sun, 06 nov 1994 08:49:37 GMT",
                                     "sun, 06 Nov 1994 08:49:37 GMT",
                                     "Sun, 06 Nov 1994 08:49:37",
                                     "Sun, 06 Nov 1994 08:49:37 UTC",
                                     "Sun, 06 Nov 1994 08:49:37 GMT ",
                                     " Sun, 06 Nov 1994 08:49:37 GMT",
                                     "Sun, 06 Nov 94 08:49:37 GMT",
                                     "Sun, 06 Nov 1994 8:49:37 GMT",
                                     "Sun, 06 Nov 1994 24:00:00 GMT",
                                     "Sun, 06 Nov 1994 08:60:37 GMT",
                                     "Sun, 06 Nov 1994 08:49:61 GMT",
                                     "Sun, 31 Nov 1994 08:49:37 GMT",
                                     "Sun, 00 Nov 1994 08:49:37 GMT",
                                     "Sun, 29 Feb 1900 08:49:37 GMT",
                                     "Sun, 06 Nov 0000 08:49:37 GMT",
                                     "Sun, 06 Nov 1994 08-49-37 GMT",
                                     "Sunday, 06 Nov 1994 08:49:37 GMT",
                                     "Sunday, 06-Nov-1994 08:49:37 GMT",
                                     "Sun Nov 6 08:49:37 1994",
                                     "Sun Nov  6 08:49:37 1994 GMT",
                                     "Sun Nov 06 08:49 1994",
                                     "Sun, +6 Nov 1994 08:49:37 GMT",
                                     "784111777"}) {
    CAPTURE(bad);
    CHECK_FALSE(read_date(bad, now).has_value());
  }
}
