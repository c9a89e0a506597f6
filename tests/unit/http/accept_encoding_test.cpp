// Goal: the qualities of RFC 9110 section 12.5.3, of well-formed fields and of others.
#include "engine/http/accept_encoding.hpp"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace millrace::http;

namespace {

struct Qualities {
  unsigned identity, gzip, zstd, br;
  bool operator==(const Qualities&) const = default;
};

Qualities of(std::initializer_list<std::string_view> fields) {
  AcceptedCodings accepted;
  for (const std::string_view field : fields) accepted.add(field);
  return {accepted.quality(Coding::identity), accepted.quality(Coding::gzip), accepted.quality(Coding::zstd),
          accepted.quality(Coding::br)};
}

}  // namespace

TEST_CASE("AcceptedCodings") {
  CHECK(of({}) == Qualities{1, 0, 0, 0});
  CHECK(of({""}) == Qualities{1, 0, 0, 0});
  CHECK(of({"gzip, deflate, br, zstd"}) == Qualities{1, 1000, 1000, 1000});
  CHECK(of({"GZIP"}) == Qualities{1, 1000, 0, 0});
  CHECK(of({"x-gzip;q=0.5"}) == Qualities{1, 500, 0, 0});
  CHECK(of({"gzip;q=0.123 , br ; Q=1.000,zstd;q=0"}) == Qualities{1, 123, 0, 1000});
  CHECK(of({"*"}) == Qualities{1000, 1000, 1000, 1000});
  CHECK(of({"br;q=0, *;q=0.2"}) == Qualities{200, 200, 200, 0});
  CHECK(of({"identity;q=0, gzip"}) == Qualities{0, 1000, 0, 0});
  CHECK(of({"*;q=0"}) == Qualities{0, 0, 0, 0});
  CHECK(of({"gzip", "br;q=0.5"}) == Qualities{1, 1000, 0, 500});
}

TEST_CASE("AcceptedCodings: malformed elements are left out") {
  for (const std::string_view bad :
       {"gzip;q=2", "gzip;q=1.001", "gzip;q=", "gzip;q=.5", "gzip;q=0.1234", "gzip;q=-1", "gzip;x=1",
        "gzip;q=0,5", "gzip;q=a", "gzipp", "gz ip", ";q=1", ",,"}) {
    CAPTURE(bad);
    CHECK(of({bad}) == Qualities{1, 0, 0, 0});
  }
  CHECK(of({"gzip;q=9, br"}) == Qualities{1, 0, 0, 1000});
}
