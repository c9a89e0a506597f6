// Goal: every edge of the boundaries' grammar and of the parts' heads, every limit, and that cutting the
// input changes nothing. Method: each case is read whole, cut in two at every byte, and byte by byte.
// Source: RFC 7578, RFC 2046 section 5.1.1.
#include "engine/http/multipart.hpp"

#include <doctest/doctest.h>

#include <string>

#include "tests/unit/http/support.hpp"

using namespace millrace::http;
using millrace::Errc;
using namespace std::string_view_literals;

namespace {

/// What came out: "[name|filename|type:data]"..., then "." for the end, or the Errc's name.
class Reading {
 public:
  explicit Reading(std::string_view boundary, const MultipartLimits& limits = {})
      : parser(boundary, limits) {}

  void feed(std::string_view piece) {
    const std::string copy(piece);  // So that a view into an earlier piece is seen by the sanitizer.
    std::string_view input = copy;
    while (!failed) {
      const auto event = parser.next(input);
      if (!event) return fail(event.error());
      switch (event.value().step) {
        case MultipartStep::need_more: CHECK(input.empty()); return;
        case MultipartStep::part:
          text += "[" + parser.head().name + "|" + parser.head().filename.value_or("-") + "|" +
                  parser.head().content_type + ":";
          break;
        case MultipartStep::data:
          CHECK_FALSE(event.value().data.empty());
          text += event.value().data;
          break;
        case MultipartStep::part_end: text += "]"; break;
        case MultipartStep::end: text += "."; break;
      }
    }
  }
  void finish() {
    if (failed) return;
    if (const millrace::Error error = parser.finish(); error.failed()) fail(error);
  }
  void fail(millrace::Error error) {
    failed = true;
    CHECK(error.status >= 400);
    CHECK(parser.problem() != ""sv);
    text = std::string(millrace::name_of(error.code)) + ": " + parser.problem();
  }

  MultipartParser parser;
  std::string text;
  bool failed = false;
};

/// The outcome, which must be the same whatever the cuts.
std::string read(std::string_view wire, const MultipartLimits& limits = {},
                 std::string_view boundary = "XX") {
  Reading whole(boundary, limits);
  whole.feed(wire);
  whole.finish();
  for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
    CAPTURE(cut);
    Reading two(boundary, limits);
    two.feed(wire.substr(0, cut));
    two.feed(wire.substr(cut));
    two.finish();
    CHECK(two.text == whole.text);
  }
  Reading bytes(boundary, limits);
  for (const char& byte : wire) bytes.feed({&byte, 1});
  bytes.finish();
  CHECK(bytes.text == whole.text);
  return whole.text;
}

/// A part named `a` whose head has more lines, or ends with other bytes.
std::string part(std::string_view lines, std::string_view data = "x") {
  return "--XX\r\n" + std::string(lines) + "\r\n" + std::string(data) + "\r\n--XX--\r\n";
}

std::string named(std::string_view parameters) {
  return part("Content-Disposition: form-data" + std::string(parameters) + "\r\n");
}

constexpr std::string_view a = "Content-Disposition: form-data; name=\"a\"\r\n";

}  // namespace

TEST_CASE("multipart: parts and their data") {
  const std::string head(a);
  CHECK(read(part(a)) == "[a|-|:x].");
  CHECK(read("--XX\r\n" + head + "\r\n1\r\n--XX\r\n" + head + "\r\n2\r\n--XX--") == "[a|-|:1][a|-|:2].");
  CHECK(read(part("Content-Disposition: form-data; name=f; filename=\"n.txt\"\r\nContent-Type: text/css\r\n",
                  "y")) == "[f|n.txt|text/css:y].");
  CHECK(read(part("content-disposition:FORM-DATA;NAME=a\r\nX-More: 1\r\n")) == "[a|-|:x].");
  CHECK(read(part(a, "")) == "[a|-|:].");
  CHECK(read("--XX--\r\n") == ".");
  CHECK(read("--XX--") == ".");
  CHECK(read(named("; name=\"\"")) == "[|-|:x].");
  CHECK(read(named("; name=a; filename=\"\"")) == "[a||:x].");
}

TEST_CASE("multipart: data that looks like a boundary") {
  for (std::string_view data : {"\r\n", "\r\n--X", "--XX", "\r\n--XY", "\r\r\n--X\r\n--X", "\n--XX", "\r\n-",
                                "\r", "\r\n\r\n--X\r", "a\r\n--", "\r\n -XX--"}) {
    CAPTURE(data);
    CHECK(read(part(a, data)) == "[a|-|:" + std::string(data) + "].");
  }
  CHECK(read(part(a, "\0\x80\xff"sv)) == "[a|-|:" + std::string("\0\x80\xff"sv) + "].");
}

TEST_CASE("multipart: preamble, epilogue and white space behind a boundary") {
  const std::string body = "\r\n" + std::string(a) + "\r\nx\r\n--XX--";
  CHECK(read("--XX" + body) == "[a|-|:x].");
  CHECK(read("This is a preamble.\r\n--XX" + body) == "[a|-|:x].");
  CHECK(read("--X\r\n--XX" + body) == "[a|-|:x].");
  CHECK(read("\r\n--XX" + body) == "[a|-|:x].");
  CHECK(read("--XX \t" + body) == "[a|-|:x].");
  CHECK(read("--XX" + body + "epilogue\r\n--XX\r\nmore") == "[a|-|:x].");
  CHECK(read("x--XX" + body) == ".");  // Only the last line is a boundary.
}

TEST_CASE("multipart: what is refused, with its reason") {
  struct Case {
    std::string wire;
    std::string_view want;
  };
  const std::string head(a);
  const Case cases[] = {
      {"", "the closing boundary is missing"},
      {"--XX", "the closing boundary is missing"},
      {"--XX-", "the closing boundary is missing"},
      {"--XX\r\n", "the closing boundary is missing"},
      {"--XX\r\n" + head + "\r\nx", "the closing boundary is missing"},
      {"--XX\r\n" + head + "\r\nx\r\n--XX\r\n", "the closing boundary is missing"},
      {"--XX\r\n" + head + "\r\nx\r\n--XXY\r\n", "a boundary is followed by something else"},
      {"--XX\n" + head, "a boundary is followed by something else"},
      {"--XX\rx", "a boundary is followed by something else"},
      {"--XX-\r\n", "a boundary is followed by something else"},
      {"--XX --", "a boundary is followed by something else"},
      {"--XX" + std::string(65, ' ') + "\r\n", "a boundary is followed by something else"},
      {part(""), "a part has no Content-Disposition"},
      {part("Content-Type: text/plain\r\n"), "a part has no Content-Disposition"},
      {part(head + head), "a part has two Content-Dispositions"},
      {part(head + "Content-Type: a/b\r\nContent-Type: a/c\r\n"), "a part has two Content-Types"},
      {part("Content-Disposition: attachment; name=a\r\n"), "a part is not form-data"},
      {part("Content-Disposition:\r\n"), "a part is not form-data"},
      {named(""), "a part has no name"},
      {named("; filename=a"), "a part has no name"},
      {named("; name=a; name=b"), "a part has two names"},
      {named("; name=a; filename=a; FileName=b"), "a part has two filenames"},
      {named("; name"), "the Content-Disposition of a part is malformed"},
      {named("; name=\"a"), "the Content-Disposition of a part is malformed"},
      {named("; name=\"a\0b\""sv), "a line in the head of a part is malformed"},
      {named("; name=\"a\rb\""), "a line in the head of a part is malformed"},
      {named("; name=\"a\nb\""), "a line in the head of a part is malformed"},
      {named("; name=a; filename=\"a\r\nX: b\""), "the Content-Disposition of a part is malformed"},
      {part(head + "no colon\r\n"), "a line in the head of a part is malformed"},
      {part(head + ": x\r\n"), "a line in the head of a part is malformed"},
      {part(head + "X : x\r\n"), "a line in the head of a part is malformed"},
      {part(head + " folded\r\n"), "a line in the head of a part is malformed"},
      {part(head + "X: a\nY: b\r\n"), "a line in the head of a part is malformed"},
      {part(head + "Content-Transfer-Encoding: base64\r\n"),
       "a part has a Content-Transfer-Encoding, which forms must not have"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.wire);
    CHECK(read(c.wire) == "bad_multipart: " + std::string(c.want));
  }
  CHECK(read(part(head + "Content-Transfer-Encoding: Binary\r\n")) == "[a|-|:x].");
}

TEST_CASE("multipart: the head of a part has a limit") {
  const std::string head(a);
  const MultipartLimits fits{.part_head_bytes_max = static_cast<std::uint32_t>(head.size() + 2)};
  const MultipartLimits short_by_one{.part_head_bytes_max = fits.part_head_bytes_max - 1};
  const std::string too_large = "part_head_too_large: the head of a part is too large";
  CHECK(read(part(a), fits) == "[a|-|:x].");
  CHECK(read(part(a), short_by_one) == too_large);
  CHECK(read(part(std::string(2000, 'x')), {.part_head_bytes_max = 1000}) == too_large);
  CHECK(read(part(head + "X: " + std::string(1500, 'x') + "\r\n"), {.part_head_bytes_max = 1600}) ==
        "[a|-|:x].");
}

TEST_CASE("multipart: the number of parts has a limit") {
  std::string two = "--XX\r\n" + std::string(a) + "\r\n1\r\n--XX\r\n" + std::string(a) + "\r\n2\r\n--XX--";
  CHECK(read(two, {.parts_max = 2}) == "[a|-|:1][a|-|:2].");
  CHECK(read(two, {.parts_max = 1}) == "parts_too_many: it has too many parts");
  CHECK(read("--XX--", {.parts_max = 0}) == ".");
}

TEST_CASE("multipart: a million parts end at the limit of a thousand") {
  const std::string one = "--XX\r\n" + std::string(a) + "\r\n\r\n";
  MultipartParser parser("XX");
  std::size_t parts = 0;
  for (; parts < 1'000'000; ++parts) {
    std::string_view input = one;
    bool refused = false;
    do {
      const auto event = parser.next(input);
      refused = event.error().code == Errc::parts_too_many;
      if (refused) break;
      REQUIRE(event.ok());
    } while (!input.empty());
    if (refused) break;
  }
  CHECK(parts == 1000);
}

TEST_CASE("multipart: large data, whatever is in it, comes out as it went in") {
  test::Random random(7);
  std::string data(300'000, '\0');
  // Many CRs, dashes and beginnings of the boundary, so that every path of the search is taken.
  for (char& byte : data) byte = "\r\n-XXyz"[random.below(7)];
  const std::string boundary = "----WebKitFormBoundaryXX";
  const std::string wire =
      "--" + boundary + "\r\n" + std::string(a) + "\r\n" + data + "\r\n--" + boundary + "--";
  for (const std::size_t step : {1u, 7u, 4096u, 1'000'000u}) {
    Reading reading(boundary);
    for (std::size_t at = 0; at < wire.size(); at += step)
      reading.feed(std::string_view(wire).substr(at, step));
    reading.finish();
    CHECK(reading.text == "[a|-|:" + data + "].");
  }
}

TEST_CASE("multipart: the boundary of a Content-Type") {
  struct Case {
    std::string type;
    std::string_view want;  ///< Empty: refused.
  };
  const std::string prefix = "multipart/form-data; boundary=";
  const Case cases[] = {
      {prefix + "XX", "XX"},
      {"Multipart/Form-Data;charset=utf-8;BOUNDARY=XX", "XX"},
      {prefix + "\"a b:c\"", "a b:c"},
      {prefix + "----WebKitFormBoundary7MA4YWxkTrZu0gW", "----WebKitFormBoundary7MA4YWxkTrZu0gW"},
      {prefix + std::string(70, 'x'),
       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
      {prefix + std::string(71, 'x'), ""},
      {prefix, ""},
      {prefix + "\"\"", ""},
      {prefix + "\"a \"", ""},
      {prefix + "\"a\r\"", ""},
      {prefix + "\"a\xc3\xa9\"", ""},
      {prefix + "\"a\"b", ""},
      {prefix + "a; boundary=b", ""},
      {prefix + "a*b", ""},
      {"multipart/form-data", ""},
      {"multipart/form-data boundary=XX", ""},
      {"multipart/mixed; boundary=XX", ""},
      {"", ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.type);
    std::string boundary;
    const bool valid = read_boundary(c.type, boundary);
    CHECK(valid == !c.want.empty());
    if (valid) CHECK(boundary == c.want);
  }
}
