#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tests/unit/serve/json_test.hpp"

using millrace::test::write;

namespace {

enum class Colour : std::int16_t { red = -3, green = 7 };
enum Letter : char { letter_a = 'a' };

struct Point {
  int x = 0;
  std::optional<double> y;
};
MR_JSON(Point, x, y)

struct Shape {
  std::string_view title;
  const char* unit = "mm";
  std::vector<Point> points;
  std::map<std::string, std::vector<bool>> marks;
  Colour colour = Colour::red;
};
MR_JSON(Shape, title, unit, points, marks, colour)

struct Empty {};
MR_JSON(Empty)

struct Tree {
  int value = 0;
  std::vector<Tree> children;
};
MR_JSON(Tree, value, children)

}  // namespace

TEST_CASE("append_json: scalars") {
  CHECK(write(true) == "true");
  CHECK(write(false) == "false");
  CHECK(write(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  CHECK(write(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
  CHECK(write(std::int8_t{-128}) == "-128");  // A number, not a character.
  CHECK(write(std::uint8_t{65}) == "65");
  CHECK(write(Colour::green) == "7");
  CHECK(write(letter_a) == "97");
  CHECK(write(std::optional<int>{}) == "null");
  CHECK(write(std::optional<int>{5}) == "5");
}

TEST_CASE("append_json: floating point is shortest, and null where JSON has no word for it") {
  CHECK(write(0.0) == "0");
  CHECK(write(-0.0) == "-0.0");
  CHECK(write(0.1) == "0.1");
  CHECK(write(0.1f) == "0.1");
  CHECK(write(-2.5) == "-2.5");
  CHECK(write(9007199254740991.0) == "9007199254740991");
  CHECK(write(18446744073709551616.0) == "1.8446744073709552e+19");  // Else an integer beyond 64 bits.
  CHECK(write(std::numeric_limits<double>::max()) == "1.7976931348623157e+308");
  CHECK(write(std::numeric_limits<double>::denorm_min()) == "5e-324");
  CHECK(write(std::nan("")) == "null");
  CHECK(write(std::numeric_limits<double>::infinity()) == "null");
  CHECK(write(-std::numeric_limits<float>::infinity()) == "null");
}

TEST_CASE("append_json: strings are escaped where RFC 8259 section 7 demands it, and pass through else") {
  CHECK(write(std::string("plain")) == "\"plain\"");
  CHECK(write(std::string_view("")) == "\"\"");
  CHECK(write(std::string("\"\\/\b\f\n\r\t")) == R"("\"\\/\b\f\n\r\t")");
  CHECK(write(std::string("\0\x01\x1f\x7f", 4)) == "\"\\u0000\\u0001\\u001f\x7f\"");
  CHECK(write(std::string("\xc3\xa4\xf0\x9f\x98\x80")) == "\"\xc3\xa4\xf0\x9f\x98\x80\"");
  CHECK(write(std::string("a\nb")) == R"("a\nb")");
}

// Eight bytes are judged at once: none may hide another, wherever it stands.
TEST_CASE("append_json: every byte at every place of a string, beside every other that is escaped") {
  const auto plain = [](unsigned char byte) { return byte >= 0x20 && byte != '"' && byte != '\\'; };
  for (unsigned byte = 0; byte < 256; ++byte) {
    for (std::size_t at = 0; at < 19; ++at) {
      for (const char filler : {'a', '\x7f', '\xff', '!', '#', '[', ']', ' '}) {
        CAPTURE(byte);
        CAPTURE(at);
        std::string text(19, filler);
        text[at] = static_cast<char>(byte);
        std::string out;
        millrace::detail::append_json(out, text);
        const std::size_t escaped = out.size() - 2 - (text.size() - 1);
        CHECK((escaped == 1) == plain(static_cast<unsigned char>(byte)));
        CHECK(out.substr(1, at) == text.substr(0, at));
        CHECK(out.substr(1 + at + escaped, text.size() - at - 1) == text.substr(at + 1));
      }
    }
  }
}

TEST_CASE("append_json: containers and structs") {
  CHECK(write(std::vector<int>{}) == "[]");
  CHECK(write(std::vector<bool>{true, false}) == "[true,false]");
  CHECK(write(std::vector<std::vector<int>>{{1, 2}, {}}) == "[[1,2],[]]");
  CHECK(write(std::map<std::string, int>{}) == "{}");
  CHECK(write(std::map<std::string, int>{{"a\"", 1}, {"b", 2}}) == R"({"a\"":1,"b":2})");
  CHECK(write(std::unordered_map<std::string, int>{{"k", 1}}) == R"({"k":1})");
  CHECK(write(Empty{}) == "{}");
  CHECK(write(Shape{"t", "cm", {{1, 0.5}, {2, {}}}, {{"m", {true}}}, Colour::green}) ==
        R"({"title":"t","unit":"cm","points":[{"x":1,"y":0.5},{"x":2,"y":null}],)"
        R"("marks":{"m":[true]},"colour":7})");
  CHECK(write(Tree{1, {{2, {}}, {3, {}}}}) ==
        R"({"value":1,"children":[{"value":2,"children":[]},{"value":3,"children":[]}]})");
}

TEST_CASE("append_json: appends") {
  std::string out = "x=";
  millrace::detail::append_json(out, 1);
  millrace::detail::append_json(out, std::vector{2});
  CHECK(out == "x=1[2]");
}
