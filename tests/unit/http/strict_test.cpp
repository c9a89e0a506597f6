// Goal: each accept/reject edge of the head's grammar, with its status. Method: every case is also cut
// at every byte, because a receive may end anywhere; a prefix may say only need_more or the verdict.
#include <doctest/doctest.h>

#include <string>

#include "tests/unit/http/head_cases.hpp"
#include "tests/unit/http/support.hpp"

using namespace millrace::http;
using millrace::Errc;
using millrace::Error;

namespace {

/// The verdict on a copy of the bytes that is gone afterwards: of `store` only numbers are left.
Error strict(std::string_view bytes, test::HeadStore& store, HeadLimits limits = {}) {
  test::Padded padded(bytes);
  return parse_head_strict(padded.data(), padded.size(), limits, store.head);
}

}  // namespace

TEST_CASE("parse_head_strict: every case, whole and cut at every byte") {
  for (const test::HeadCase& c : test::head_cases()) {
    CAPTURE(c.name);
    test::HeadStore store;
    const Error whole = strict(c.bytes, store);
    CHECK(whole.code == c.want);
    CHECK(whole.status == c.status);
    for (std::size_t cut = 0; cut < c.bytes.size(); ++cut) {
      const Error got = strict(c.bytes.substr(0, cut), store);
      if (got.code == Errc::need_more || (got == whole && whole.failed())) continue;
      CAPTURE(cut);
      CHECK(got.code == c.want);
      CHECK(whole.failed());
    }
  }
}

TEST_CASE("parse_head_strict: hopeless heads are refused before they end") {
  test::HeadStore store;
  CHECK(strict("GET /\r", store).status == 400);                    // No version will come.
  CHECK(strict("\x16", store).status == 400);                       // TLS.
  CHECK(strict("GET / HTTQ", store).status == 400);                 //
  CHECK(strict("GET / HTTP/1.1\r\nA b", store).status == 400);      //
  CHECK(strict("GET / HTTP/1.1\r\n ", store).status == 400);        // A fold without a line before.
  CHECK(strict("GET / HTTP/1.1\r\nA: \x01", store).status == 400);  //
  CHECK(strict("", store).code == Errc::need_more);
}

TEST_CASE("parse_head_strict: spans") {
  const std::string_view bytes = "\r\nPOST /a?b HTTP/1.0\r\nHost:  x\t\r\nEmpty: \t\r\nLast:y\r\n\r\nbody";
  test::HeadStore store;
  test::Padded padded(bytes);
  REQUIRE_FALSE(parse_head_strict(padded.data(), padded.size(), HeadLimits{}, store.head).failed());
  const Head& head = store.head;
  CHECK(head.base == padded.data() + 2);
  CHECK(head.size == bytes.size() - 2 - 4);
  CHECK(head.method == Method::post);
  CHECK(head.method_text() == "POST");
  CHECK(head.target() == "/a?b");
  CHECK(head.version_minor == 0);
  REQUIRE(head.field_count == 3);
  CHECK(head.name(head.fields[0]) == "Host");
  CHECK(head.value(head.fields[0]) == "x");
  CHECK(head.name(head.fields[1]) == "Empty");
  CHECK(head.value(head.fields[1]) == "");
  CHECK(head.name(head.fields[2]) == "Last");
  CHECK(head.value(head.fields[2]) == "y");
}

TEST_CASE("parse_head_strict: an unknown method is a method, a higher minor version is 1.1") {
  test::HeadStore store;
  test::Padded padded("BREW /pot HTTP/1.7\r\nHost: a\r\n\r\n");
  REQUIRE_FALSE(parse_head_strict(padded.data(), padded.size(), HeadLimits{}, store.head).failed());
  CHECK(store.head.method == Method::other);
  CHECK(store.head.method_text() == "BREW");
  CHECK(store.head.version_minor == 1);
}

TEST_CASE("parse_head_strict: the limit's status is that of the place where it is reached") {
  const HeadLimits limits{.bytes_max = 64, .fields_max = 2};
  test::HeadStore store;
  const std::string many(100, 'a');
  CHECK(strict("GET /" + many, store, limits) == Error{Errc::target_too_long, 414});
  CHECK(strict("GET /" + many + " HTTP/1.1\r\n\r\n", store, limits) == Error{Errc::target_too_long, 414});
  CHECK(strict("GET / HTTP/1.1\r\n" + many, store, limits) == Error{Errc::head_too_large, 431});
  CHECK(strict("GET / HTTP/1.1\r\nA: " + many, store, limits) == Error{Errc::head_too_large, 431});
  CHECK(strict("GET / HTTP/1.1\r\nA: b\r\nC: d\r\nE: f\r\n\r\n", store, limits) ==
        Error{Errc::fields_too_many, 431});
  CHECK_FALSE(strict("GET / HTTP/1.1\r\nA: b\r\nC: d\r\n\r\n", store, limits).failed());
  CHECK(strict(std::string(65'536, 'A'), store) == Error{Errc::method_unknown, 501});
}

TEST_CASE("parse_head_strict: a head of exactly the limit passes, one byte more does not") {
  for (const int extra : {0, 1}) {
    std::string bytes = "GET / HTTP/1.1\r\nA: ";
    bytes.append(static_cast<std::size_t>(64 + extra) - bytes.size() - 4, 'v');
    bytes += "\r\n\r\n";
    test::HeadStore store;
    const Error error = strict(bytes, store, HeadLimits{.bytes_max = 64});
    CHECK(error.status == (extra == 0 ? 0 : 431));
    // What cannot fit any more is refused when the limit is reached, not when the head ends.
    CHECK(strict(bytes.substr(0, 63), store, HeadLimits{.bytes_max = 64}).code == Errc::need_more);
  }
}

TEST_CASE("parse_head_strict: empty lines are outside the limit") {
  test::HeadStore store;
  CHECK_FALSE(strict("\r\n\r\nGET / HTTP/1.1\r\n\r\n", store, HeadLimits{.bytes_max = 18}).failed());
}
