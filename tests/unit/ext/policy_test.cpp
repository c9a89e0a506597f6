// Goal: which replies are compressed, and how. Source: RFC 9110 sections 8.8.1 and 12.5.3.
#include "engine/ext/compress/policy.hpp"

#include <doctest/doctest.h>

#include "engine/ext/compress/encoder.hpp"

using namespace millrace;
using namespace millrace::coding;
using http::Coding;

namespace {

Coding chosen(std::string_view field) {
  http::AcceptedCodings accepted;
  accepted.add(field);
  return choose(accepted);
}

}  // namespace

TEST_CASE("compression: types") {
  for (std::string_view good :
       {"text/plain", "Text/HTML; charset=utf-8", "application/json", "application/problem+json",
        "image/svg+xml", "application/xml", "application/wasm", "font/ttf"}) {
    CAPTURE(good);
    CHECK(is_compressible(good));
  }
  for (std::string_view bad : {"", "image/png", "application/octet-stream", "application/zip", "font/woff2",
                               "video/mp4", "text/event-stream", "texture/x", "application/jsonx"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_compressible(bad));
  }
}

TEST_CASE("compression: replies") {
  const Facts good{.content_type = "text/plain", .body_bytes = 1024};
  CHECK(may_compress(good, 1024, {}));
  CHECK_FALSE(may_compress(good, 1025, {}));
  const auto with = [&good](auto change) {
    Facts facts = good;
    change(facts);
    return may_compress(facts, 1024, {});
  };
  CHECK(with([](Facts& facts) { facts.body_bytes.reset(); }));
  CHECK(with([](Facts& facts) { facts.status = 404; }));
  CHECK(with([](Facts& facts) { facts.cache_control = "max-age=5, private"; }));
  for (unsigned status : {101u, 204u, 205u, 206u, 304u})
    CHECK_FALSE(with([&](Facts& facts) { facts.status = status; }));
  CHECK_FALSE(with([](Facts& facts) { facts.content_type = "image/png"; }));
  CHECK_FALSE(with([](Facts& facts) { facts.content_encoding = "br"; }));
  CHECK_FALSE(with([](Facts& facts) { facts.content_encoding = "identity"; }));
  CHECK_FALSE(with([](Facts& facts) { facts.cache_control = "public, No-Transform"; }));
  CHECK_FALSE(with([](Facts& facts) { facts.has_digest = true; }));
}

TEST_CASE("compression: what the client likes best of what is built in") {
  REQUIRE(is_built_in(Coding::gzip));
  CHECK(chosen("gzip") == Coding::gzip);
  CHECK(chosen("gzip;q=0.001") == Coding::gzip);
  CHECK(chosen("") == Coding::identity);
  CHECK(chosen("gzip;q=0") == Coding::identity);
  CHECK(chosen("compress, deflate") == Coding::identity);
  CHECK(chosen("gzip;q=0.5, identity") == Coding::identity);
  CHECK(chosen("identity;q=0") == Coding::identity);  // Nothing else is there to send.
  CHECK(chosen("*;q=0") == Coding::identity);
  if (is_built_in(Coding::br) && is_built_in(Coding::zstd)) {
    CHECK(chosen("gzip, deflate, br, zstd") == Coding::zstd);
    CHECK(chosen("gzip, deflate, br") == Coding::br);
    CHECK(chosen("gzip;q=1, br;q=0.9, zstd;q=0.8") == Coding::gzip);
    CHECK(chosen("*") == Coding::zstd);
    CHECK(chosen("*, zstd;q=0") == Coding::br);
    CHECK(chosen("identity;q=0.5, *;q=0.6") == Coding::zstd);
  }
}

TEST_CASE("compression: entity tags and Vary") {
  CHECK(weakened("\"a\"") == "W/\"a\"");
  CHECK(weakened("W/\"a\"") == "W/\"a\"");
  for (std::string_view there :
       {"accept-encoding", "Origin, Accept-Encoding", "*", "Accept-Encoding , Origin"})
    CHECK(varies_by_coding(there));
  for (std::string_view not_there : {"", "Origin", "Accept", "X-Accept-Encoding"})
    CHECK_FALSE(varies_by_coding(not_there));
}
