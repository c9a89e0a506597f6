// Goal: each edge of the chunked coding's grammar, its limits, and that neither cutting the input nor
// decoding in place changes the outcome. Source: RFC 9112 section 7.1.
#include "engine/http/chunked.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/unit/http/support.hpp"

using namespace millrace::http;
using millrace::Errc;
using millrace::Error;

namespace {

struct Outcome {
  Error error;
  bool done = false;
  std::string body;
  std::string trailers;
  std::size_t consumed = 0;
};

/// Feeds `wire` in pieces that end at `cuts`, each decoded in place.
Outcome decode(std::string_view wire, const std::vector<std::size_t>& cuts, const ChunkLimits& limits = {}) {
  Outcome outcome;
  ChunkedState state;
  std::vector<char> trailers(limits.trailer_bytes_max);
  std::size_t trailers_size = 0;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const std::size_t end = i == cuts.size() ? wire.size() : cuts[i];
    std::vector<char> piece(wire.begin() + static_cast<std::ptrdiff_t>(start),
                            wire.begin() + static_cast<std::ptrdiff_t>(end));
    auto result = decode_chunked(state, limits, piece.data(), piece.size(), piece.data(), trailers.data(),
                                 &trailers_size);
    if (!result) {
      outcome.error = result.error();
      break;
    }
    CHECK(result->written_bytes <= result->consumed_bytes);
    outcome.body.append(piece.data(), result->written_bytes);
    outcome.consumed += result->consumed_bytes;
    outcome.done = result->done;
    if (result->done) break;
    CHECK(result->consumed_bytes == piece.size());
    start = end;
  }
  outcome.trailers.assign(trailers.data(), trailers_size);
  return outcome;
}

struct Case {
  std::string_view name;
  std::string_view wire;
  std::string_view body;
  std::string_view trailers;
};

using namespace std::string_view_literals;
constexpr Case good[] = {
    {"empty", "0\r\n\r\n", "", ""},
    {"one", "5\r\nhello\r\n0\r\n\r\n", "hello", ""},
    {"two, upper and lower hex", "A\r\n0123456789\r\na\r\nabcdefghij\r\n0\r\n\r\n", "0123456789abcdefghij",
     ""},
    {"leading zeros", "0005\r\nhello\r\n000\r\n\r\n", "hello", ""},
    {"CRLF in the data", "a\r\n\r\n0\r\n\r\n\0\xff\r\r\n0\r\n\r\n"sv, "\r\n0\r\n\r\n\0\xff\r"sv, ""},
    {"extension", "5;foo\r\nhello\r\n0;a=b;c=\"d\"\r\n\r\n", "hello", ""},
    {"quoted extension", "5;foo=\"b;a\\\"\\r\t \x80=\"\r\nhello\r\n0\r\n\r\n", "hello", ""},
    {"white space in an extension", "5 ; foo = bar ;x\t=\"y\" ;z\r\nhello\r\n0\r\n\r\n", "hello", ""},
    {"trailer", "1\r\nx\r\n0\r\nX-T: v\r\nX-U:w \r\n\r\n", "x", "X-T: v\r\nX-U:w \r\n"},
    {"forbidden trailers",
     "0\r\nHost: evil\r\nA: b\r\ncontent-length: 3\r\nX-Forwarded-For: c\r\nAuthorization: d\r\nB:\r\n"
     "Transfer-Encoding: e\r\n\r\n",
     "", "A: b\r\nB:\r\n"},
    {"trailer of odd bytes", "0\r\n!#$%&'*+-.^_`|~: \x80\t\"\r\n\r\n", "", "!#$%&'*+-.^_`|~: \x80\t\"\r\n"},
};

struct Bad {
  std::string_view name;
  std::string_view wire;
  Errc want = Errc::bad_chunk;
  std::uint16_t status = 400;
};
constexpr Bad bad[] = {
    {"no digit", "\r\nhello\r\n0\r\n\r\n"},
    {"0x", "0x5\r\nhello"},
    {"plus", "+5\r\nhello"},
    {"minus", "-1\r\nhello"},
    {"underscore", "5_0\r\nhello"},
    {"space first", " 5\r\nhello"},
    {"space behind", "5 \r\nhello"},
    {"tab behind", "5\t\r\nhello"},
    {"word behind", "5 x\r\nhello"},
    {"letter", "Z\r\nhello"},
    {"letter behind", "5g\r\nhello"},
    {"NUL behind", "5\0\r\nhello"sv},
    {"high digit", "\xef\xbc\x95\r\nhello"},
    {"17 digits", "10000000000000005\r\nhello"},
    {"all ones", "FFFFFFFFFFFFFFFF\r\nhello"},
    {"2^63", "8000000000000005\r\nhello"},
    {"LF behind the size", "5\nhello"},
    {"CR X behind the size", "5\rXhello"},
    {"CR CR ;", "5\r\r;a\r\nhello"},
    {"LF behind the data", "5\r\nhello\n0\r\n\r\n"},
    {"CR X behind the data", "5\r\nhello\rX"},
    {"too small", "3\r\nhello\r\n0\r\n\r\n"},
    {"too large", "7\r\nhello\r\n0\r\n\r\n"},
    {"empty extension", "5;\r\nhello"},
    {"empty second extension", "5;a;\r\nhello"},
    {"extension without a value", "5;a=\r\nhello"},
    {"unbalanced quote", "5;a=\"x\r\nhello"},
    {"NUL in an extension", "5;a=\0\r\nhello"sv},
    {"NUL in a quoted one", "5;a=\"\0\"\r\nhello"sv},
    {"CR escaped", "5;a=\"\\\r\n\"\r\nhello"},
    {"bytes behind a quote", "5;a=\"x\"y\r\nhello"},
    {"white space behind an extension", "5;a=b \r\nhello"},
    {"two words", "5;a b\r\nhello"},
    {"bare CR in an extension", "5;a=b\rc\r\nhello"},
    {"bare LF in an extension", "5;a=b\nhello"},
    {"trailer without a colon", "0\r\nGET /smug HTTP/1.1\r\n", Errc::bad_trailer},
    {"trailer that is no field", "0\r\nabc\r\n\r\n", Errc::bad_trailer},
    {"space before the colon", "0\r\nX : y\r\n\r\n", Errc::bad_trailer},
    {"folded trailer", "0\r\nX: y\r\n z\r\n\r\n", Errc::bad_trailer},
    {"trailer with NUL", "0\r\nX: \0\r\n\r\n"sv, Errc::bad_trailer},
    {"forbidden trailer with NUL", "0\r\nHost: \0\r\n\r\n"sv, Errc::bad_trailer},
    {"trailer with bare LF", "0\r\nX: y\n\r\n", Errc::bad_trailer},
    {"trailer with bare CR", "0\r\nX: y\rz\r\n\r\n", Errc::bad_trailer},
    {"end by LF", "0\r\n\n", Errc::bad_trailer},
    {"end by CR X", "0\r\n\rX", Errc::bad_trailer},
};

}  // namespace

TEST_CASE("decode_chunked: good bodies, cut at every two places") {
  for (const Case& c : good) {
    const std::string wire = std::string(c.wire) + "GET /next";
    for (std::size_t first = 0; first <= c.wire.size(); ++first) {
      for (std::size_t second = first; second <= c.wire.size(); ++second) {
        const Outcome outcome = decode(wire, {first, second});
        CAPTURE(c.name);
        CAPTURE(first);
        CAPTURE(second);
        CHECK(outcome.error.code == Errc::ok);
        CHECK(outcome.done);
        CHECK(outcome.consumed == c.wire.size());
        CHECK(outcome.body == c.body);
        CHECK(outcome.trailers == c.trailers);
      }
    }
    for (std::size_t cut = 0; cut < c.wire.size(); ++cut) CHECK_FALSE(decode(c.wire.substr(0, cut), {}).done);
  }
}

TEST_CASE("decode_chunked: bad bodies, cut at every place") {
  for (const Bad& c : bad) {
    CAPTURE(c.name);
    for (std::size_t cut = 0; cut <= c.wire.size(); ++cut) {
      CAPTURE(cut);
      CHECK(decode(c.wire, {cut}).error == Error{c.want, c.status});
      const Outcome prefix = decode(c.wire.substr(0, cut), {});
      CHECK((prefix.error.code == Errc::ok || prefix.error.code == c.want));
      CHECK_FALSE(prefix.done);
    }
  }
}

TEST_CASE("decode_chunked: trailers may be dropped whole") {
  ChunkedState state;
  char wire[] = "1\r\nx\r\n0\r\nA: b\r\nHost: c\r\n\r\n";
  auto result = decode_chunked(state, ChunkLimits{}, wire, sizeof wire - 1, wire, nullptr, nullptr);
  REQUIRE(result.ok());
  CHECK(result->done);
  CHECK(result->consumed_bytes == sizeof wire - 1);
  CHECK(wire[0] == 'x');
}

TEST_CASE("decode_chunked: limits") {
  const auto error_of = [](const std::string& wire, const ChunkLimits& limits) {
    return decode(wire, {}, limits).error;
  };
  const ChunkLimits body{.body_bytes_max = 8};
  CHECK(error_of("8\r\n12345678\r\n0\r\n\r\n", body).code == Errc::ok);
  CHECK(error_of("9\r\n", body) == Error{Errc::body_too_large, 413});
  CHECK(error_of("5\r\nhello\r\n4\r\n", body) == Error{Errc::body_too_large, 413});
  CHECK(error_of("9;", body).status == 413);  // Before the extension, which may be long.

  const std::string zeros(64, '0');
  CHECK(error_of(zeros + "\r\n\r\n", {}).code == Errc::ok);
  CHECK(error_of("0" + zeros + "\r\n\r\n", {}).code == Errc::bad_chunk);
  CHECK(error_of("00123\r\n", ChunkLimits{.size_digits_max = 3}).code == Errc::ok);
  CHECK(error_of("1234\r\n", ChunkLimits{.size_digits_max = 3}).code == Errc::bad_chunk);

  const ChunkLimits extension{.extension_bytes_max = 10};
  CHECK(error_of("1;a23456789\r\nx\r\n0\r\n\r\n", extension).code == Errc::ok);
  CHECK(error_of("1;a23456789\r\nx\r\n1;b\r\nx\r\n0\r\n\r\n", extension).code == Errc::bad_chunk);

  const ChunkLimits trailer{.trailer_bytes_max = 12, .trailer_fields_max = 2};
  CHECK(error_of("0\r\nA:b\r\nC:d\r\n\r\n", trailer).code == Errc::ok);
  CHECK(error_of("0\r\nA:b\r\nC:de\r\n\r\n", trailer) == Error{Errc::trailers_too_large, 431});
  CHECK(error_of("0\r\nA:\r\nB:\r\nC:\r\n\r\n", ChunkLimits{.trailer_fields_max = 2}) ==
        Error{Errc::trailers_too_large, 431});
}

TEST_CASE("decode_chunked: a flood of tiny chunks is refused, a few are not") {
  const auto chunks = [](unsigned count, std::string_view chunk) {
    std::string wire;
    for (unsigned i = 0; i < count; ++i) wire += chunk;
    return wire + "0\r\n\r\n";
  };
  CHECK(decode(chunks(1'000, "1\r\nx\r\n"), {}).error.code == Errc::ok);
  CHECK(decode(chunks(1'000'000, "1\r\nx\r\n"), {}).error == Error{Errc::bad_chunk, 400});
  CHECK(decode(chunks(500'000, "8\r\n12345678\r\n"), {}).error.code == Errc::ok);
}

TEST_CASE("decode_chunked: random bodies in random pieces come out as they went in") {
  test::Random random(7);
  for (unsigned round = 0; round < 500; ++round) {
    std::string body;
    std::string wire;
    for (std::size_t chunk = random.below(6); chunk > 0; --chunk) {
      std::string data(1 + random.below(300), ' ');
      for (char& byte : data) byte = static_cast<char>(random.next());
      char size_line[18];
      wire.append(size_line, encode_chunk_size(data.size(), size_line));
      wire += data + "\r\n";
      body += data;
    }
    wire += "0\r\n\r\n";
    std::vector<std::size_t> cuts;
    for (std::size_t at = random.below(40); at < wire.size(); at += 1 + random.below(90)) cuts.push_back(at);
    const Outcome outcome = decode(wire, cuts);
    CHECK(outcome.done);
    CHECK(outcome.body == body);
  }
}

TEST_CASE("encode_chunk_size") {
  const auto text = [](std::uint64_t size) {
    char line[18];
    return std::string(line, encode_chunk_size(size, line));
  };
  CHECK(text(0) == "0\r\n");
  CHECK(text(1) == "1\r\n");
  CHECK(text(15) == "f\r\n");
  CHECK(text(16) == "10\r\n");
  CHECK(text(8000) == "1f40\r\n");
  CHECK(text(~std::uint64_t{0}) == "ffffffffffffffff\r\n");
}
