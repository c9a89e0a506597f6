// Texts that are no JSON, or beyond a limit: all refused, with the byte where it went wrong.
#include <doctest/doctest.h>

#include <random>
#include <string>
#include <string_view>

#include "engine/serve/json_scan.hpp"
#include "tests/unit/serve/json_test.hpp"

using millrace::detail::JsonFault;
using millrace::detail::JsonNode;

namespace {

using namespace std::string_view_literals;

struct Case {
  std::string_view text;
  std::size_t offset;
  std::string_view path;
  std::string_view problem;
};

constexpr Case cases[] = {
    {"", 0, "$", "expected a value"},
    {"  \n", 3, "$", "expected a value"},
    {"\xef\xbb\xbf{}", 0, "$", "expected a value"},  // A byte order mark.
    {"nul", 3, "$", "expected a value"},
    {"nulL", 3, "$", "expected a value"},
    {"True", 0, "$", "expected a value"},
    {"truex", 4, "$", "expected nothing more"},
    {"NaN", 0, "$", "expected a value"},
    {"'a'", 0, "$", "expected a value"},
    {"// c\n1", 0, "$", "expected a value"},
    {"1 2", 2, "$", "expected nothing more"},
    {"{} {}", 3, "$", "expected nothing more"},
    {"1\0"sv, 1, "$", "expected nothing more"},
    {"\x0c"
     "1",
     0, "$", "expected a value"},
    // Numbers.
    {"01", 1, "$", "expected nothing more"},
    {"-", 1, "$", "expected a digit"},
    {"-01", 2, "$", "expected nothing more"},
    {"+1", 0, "$", "expected a value"},
    {".5", 0, "$", "expected a value"},
    {"1.", 2, "$", "expected a digit"},
    {"1.e1", 2, "$", "expected a digit"},
    {"1e", 2, "$", "expected a digit"},
    {"1e+", 3, "$", "expected a digit"},
    {"0x1", 1, "$", "expected nothing more"},
    {"[18446744073709551616]", 1, "$[0]", "expected an integer of at most 64 bits"},
    {"[1,-9223372036854775809]", 3, "$[1]", "expected an integer of at most 64 bits"},
    {"1e400", 0, "$", "expected a number that fits a double"},
    {"-1.0E+309", 0, "$", "expected a number that fits a double"},
    {"1e99999999999999999999", 0, "$", "expected a number that fits a double"},
    // Arrays and objects.
    {"[", 1, "$[0]", "expected a value"},
    {"[1", 2, "$", "expected a comma or a closing bracket"},
    {"[1,", 3, "$[1]", "expected a value"},
    {"[1,]", 3, "$[1]", "expected a value"},
    {"[,1]", 1, "$[0]", "expected a value"},
    {"[1 2]", 3, "$", "expected a comma or a closing bracket"},
    {"[1}", 2, "$", "expected a comma or a closing bracket"},
    {"]", 0, "$", "expected a value"},
    {"{", 1, "$", "expected a name in quotes"},
    {"{1:2}", 1, "$", "expected a name in quotes"},
    {"{a:1}", 1, "$", "expected a name in quotes"},
    {"{\"a\" 1}", 5, "$", "expected a colon"},
    {"{\"a\":}", 5, "$.a", "expected a value"},
    {"{\"a\":1,}", 7, "$", "expected a name in quotes"},
    {"{\"a\":1 \"b\":2}", 7, "$", "expected a comma or a closing brace"},
    {"{\"a\":[1,{\"b\":[tru]}]}", 17, "$.a[1].b[0]", "expected a value"},
    // Strings.
    {"\"abc", 4, "$", "expected a closing quote"},
    {"\"abc\\\"", 6, "$", "expected a closing quote"},
    {"[\"a\nb\"]", 3, "$[0]", "expected control characters to be escaped"},
    {"\"\0\""sv, 1, "$", "expected control characters to be escaped"},
    {"\"\\x\"", 2, "$", "expected an escape of JSON"},
    {"\"\\", 2, "$", "expected an escape of JSON"},
    {"\"\\u12g4\"", 5, "$", "expected four hexadecimal digits"},
    {"\"\\u12\"", 5, "$", "expected four hexadecimal digits"},
    {"\"a\\ud800\"", 2, "$", "expected a surrogate pair"},
    {"\"\\udc00\"", 1, "$", "expected a surrogate pair"},
    {"\"\\ud800\\n\"", 1, "$", "expected a surrogate pair"},
    {"\"\\ud83d\\ud83d\"", 1, "$", "expected a surrogate pair"},
    {"\"\xff\"", 1, "$", "expected UTF-8"},
    {"\"a\x80\"", 2, "$", "expected UTF-8"},
    {"\"\xc0\xaf\"", 1, "$", "expected UTF-8"},          // Overlong.
    {"\"\xe0\x80\x80\"", 1, "$", "expected UTF-8"},      // Overlong.
    {"\"\xed\xa0\x80\"", 1, "$", "expected UTF-8"},      // A surrogate.
    {"\"\xf0\x80\x80\x80\"", 1, "$", "expected UTF-8"},  // Overlong.
    {"\"\xf4\x90\x80\x80\"", 1, "$", "expected UTF-8"},  // Beyond U+10FFFF.
    {"\"\xe2\x82\"", 1, "$", "expected UTF-8"},          // Cut.
    {"{\"\xff\":1}", 2, "$", "expected UTF-8"},
};

/// True where both readers take it; fails the test where they differ.
bool accepted(std::string_view text, JsonFault& fault) {
  const std::string padded = std::string(text) + std::string(64, '\0');
  const std::string_view body(padded.data(), text.size());
  JsonNode root;
  JsonFault of_scan;
  const bool parsed = millrace::detail::json_parse(body, root, fault);
  const bool scanned = !millrace::serve::find_json_fault(body, of_scan);
  CAPTURE(text);
  CHECK(parsed == scanned);
  return parsed;
}

std::string nested(std::size_t levels, std::string_view core) {
  std::string text;
  for (std::size_t level = 0; level < levels; ++level) text += level % 2 == 0 ? "[" : "{\"a\":";
  text += core;
  for (std::size_t level = levels; level-- > 0;) text += level % 2 == 0 ? "]" : "}";
  return text;
}

}  // namespace

TEST_CASE("json_parse: refuses what is no JSON, and says where") {
  for (const Case& c : cases) {
    const std::string message = millrace::test::refusal<int>(c.text);
    std::string wanted = "JSON: " + std::string(c.problem) + " at " + std::string(c.path) + ", byte ";
    CHECK(message == wanted + std::to_string(c.offset));
    JsonFault fault;
    CHECK_FALSE(accepted(c.text, fault));
  }
}

TEST_CASE("json_parse: 64 levels and no more") {
  JsonFault fault;
  CHECK(accepted(nested(64, "1"), fault));
  CHECK(accepted(nested(64, "[]"), fault));  // Nothing is in it: not a level.
  CHECK_FALSE(accepted(nested(65, "1"), fault));
  CHECK(fault.problem == "expected no more than 64 levels");
  CHECK(fault.steps.size() == 64);
  CHECK_FALSE(accepted(std::string(100'000, '['), fault));
  CHECK(fault.offset == 65);
}

TEST_CASE("json_parse: the parser and the scan agree on every prefix of a text, and find its end") {
  const std::string text = R"( {"a":[1,-2.5e+3,"\u00e4\n",{"b":null}],"c":true,"ä":[]} )";
  for (std::size_t cut = 0; cut < text.size() - 1; ++cut) {
    CAPTURE(cut);
    JsonFault fault;
    CHECK_FALSE(accepted(text.substr(0, cut), fault));
    // Within a number or a sequence of UTF-8 the fault may begin before the end.
    CHECK(fault.offset <= cut);
    CHECK(fault.offset + 2 >= cut);
  }
  JsonFault fault;
  CHECK(accepted(text.substr(0, text.size() - 1), fault));
  CHECK(accepted(text, fault));
}

// Goal: no difference between the parser, which judges, and the scan, which explains. Method: a valid
// text with one to three bytes changed, inserted or removed, a hundred thousand times, seeded.
TEST_CASE("json_parse: the parser and the scan agree on texts with random faults") {
  const std::string_view seeds[] = {
      R"({"id":12,"name":"x\u00e4\ud83d\ude00\\","list":[1,2.5,-3e-2,true,false,null],"o":{"k":[[],{}]}})",
      R"([0,-0,1e308,17976931348623157e292,18446744073709551615,-9223372036854775808,1e-330,0.0e999])",
      "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"",
  };
  constexpr std::string_view bytes =
      "{}[]:,\"\\/ue0123456789.+-tfn \n\t\0\x80\xc3\xed\xf4\xff"
      "dDaA8"sv;
  std::mt19937 random(20261120);
  std::size_t taken = 0;
  for (int round = 0; round < 100'000; ++round) {
    std::string text(seeds[random() % std::size(seeds)]);
    for (unsigned change = 0; change <= random() % 3; ++change) {
      const std::size_t at = random() % text.size();
      const char byte = bytes[random() % bytes.size()];
      switch (random() % 3) {
        case 0: text[at] = byte; break;
        case 1: text.insert(at, 1, byte); break;
        case 2: text.erase(at, 1); break;
      }
      if (text.empty()) text.push_back(byte);
    }
    JsonFault fault;
    if (accepted(text, fault))
      ++taken;
    else
      CHECK(fault.offset <= text.size());
  }
  CHECK(taken > 1000);  // Both sides of the border were visited.
  CHECK(taken < 99'000);
}
