#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/unit/serve/json_test.hpp"

using millrace::test::read;
using millrace::test::refusal;

namespace {

enum class Level : std::uint8_t { low, high };

struct Item {
  std::int64_t id = 0;
  std::string name;
  std::optional<int> count = 5;
};
MR_JSON(Item, id, name, count)

struct Order {
  std::vector<Item> items;
  std::map<std::string, double> prices;
  bool open = false;
  Level level = Level::low;
};
MR_JSON(Order, items, prices, open, level)

template <class T>
T good(std::string_view text) {
  T value{};
  CHECK(read(text, value) == "");
  return value;
}

}  // namespace

TEST_CASE("read_json: integers, to the limits of their types") {
  CHECK(good<std::int64_t>("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
  CHECK(good<std::int64_t>("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
  CHECK(good<std::uint64_t>("18446744073709551615") == std::numeric_limits<std::uint64_t>::max());
  CHECK(good<std::int8_t>("-128") == -128);
  CHECK(good<std::uint8_t>("255") == 255);
  CHECK(good<std::uint16_t>(" 65535 ") == 65535);
  CHECK(good<Level>("1") == Level::high);

  CHECK(refusal<std::int8_t>("128") == "JSON: expected an integer from -128 to 127 at $, byte 0");
  CHECK(refusal<std::int8_t>("-129") == "JSON: expected an integer from -128 to 127 at $, byte 0");
  CHECK(refusal<std::uint8_t>("256") == "JSON: expected an integer from 0 to 255 at $, byte 0");
  CHECK(refusal<std::uint32_t>("-1") == "JSON: expected an integer from 0 to 4294967295 at $, byte 0");
  CHECK(refusal<std::int64_t>("9223372036854775808") ==
        "JSON: expected an integer from -9223372036854775808 to 9223372036854775807 at $, byte 0");
  CHECK(refusal<Level>("256") == "JSON: expected an integer from 0 to 255 at $, byte 0");
  for (const char* text : {"1.0", "1e0", "true", "\"1\"", "null", "[]", "{}"}) {
    CAPTURE(text);
    CHECK(refusal<int>(text) == "JSON: expected an integer at $, byte 0");
  }
}

TEST_CASE("read_json: floating point") {
  CHECK(good<double>("0.1") == 0.1);
  CHECK(good<double>("-3") == -3.0);
  CHECK(good<double>("18446744073709551615") == 18446744073709551615.0);
  CHECK(good<double>("5e-324") == std::numeric_limits<double>::denorm_min());
  CHECK(good<double>("1e-400") == 0.0);
  CHECK(std::signbit(good<double>("-0.0")));
  CHECK(good<float>("3.4028234e38") == 3.4028234e38f);
  CHECK(refusal<float>("3.5e38") == "JSON: expected a number that fits a float at $, byte 0");
  CHECK(refusal<double>("\"1\"") == "JSON: expected a number at $, byte 0");
  CHECK(refusal<double>("null") == "JSON: expected a number at $, byte 0");
}

TEST_CASE("read_json: strings are unescaped") {
  CHECK(good<std::string>(R"("\"\\\/\b\f\n\r\t")") == "\"\\/\b\f\n\r\t");
  CHECK(good<std::string>(R"("\u00e4\uD83D\uDE00")") == "\xc3\xa4\xf0\x9f\x98\x80");
  CHECK(good<std::string>(R"("\u0000")") == std::string(1, '\0'));
  CHECK(good<std::string>("\"\xc3\xa4\x7f\"") == "\xc3\xa4\x7f");
  CHECK(refusal<std::string>("1") == "JSON: expected a string at $, byte 0");
}

TEST_CASE("read_json: bool, optional, containers") {
  CHECK(good<bool>("true"));
  CHECK(refusal<bool>("1") == "JSON: expected true or false at $, byte 0");
  CHECK_FALSE(good<std::optional<int>>("null").has_value());
  CHECK(good<std::optional<int>>("4") == 4);
  CHECK(refusal<std::optional<int>>("\"4\"") == "JSON: expected an integer at $, byte 0");
  CHECK(good<std::vector<bool>>("[true,false]") == std::vector<bool>{true, false});
  CHECK(good<std::vector<int>>("[]").empty());
  CHECK(good<std::unordered_map<std::string, int>>(R"({"a":1,"b":2})").at("b") == 2);
  CHECK(refusal<std::vector<int>>("{}") == "JSON: expected an array at $, byte 0");
  CHECK(refusal<std::map<std::string, int>>("[]") == "JSON: expected an object at $, byte 0");
  CHECK(refusal<Item>("[]") == "JSON: expected an object at $, byte 0");
}

TEST_CASE("read_json: structs: any order, unknown names ignored, optional fields may be missing") {
  const auto order = good<Order>(
      R"( {"level":1, "extra":{"id":[1,2,{}]}, "items":[{"name":"a","id":1},{"id":2,"count":null,"name":"b"}],
          "prices":{"x":1.5,"y":2}, "open":true, "extra":1} )");
  REQUIRE(order.items.size() == 2);
  CHECK(order.items[0].id == 1);
  CHECK(order.items[0].name == "a");
  CHECK(order.items[0].count == 5);  // Missing: keeps its initial value.
  CHECK_FALSE(order.items[1].count.has_value());
  CHECK(order.prices.at("x") == 1.5);
  CHECK(order.prices.at("y") == 2.0);
  CHECK(order.open);
  CHECK(order.level == Level::high);
}

TEST_CASE("read_json: what does not fit is named, with its place") {
  CHECK(refusal<Item>(R"({"id":1})") == "JSON: missing field at $.name, byte 0");
  CHECK(refusal<Item>(R"( {"id":"1","name":""})") == "JSON: expected an integer at $.id, byte 7");
  CHECK(refusal<Item>(R"({"id":1,"name":"a","id":2})") == "JSON: expected each name once at $.id, byte 24");
  CHECK(refusal<Item>(R"({"id":1,"name":"a","count":1.5})") ==
        "JSON: expected an integer at $.count, byte 27");
  CHECK(refusal<Order>(R"({"items":[{"id":1,"name":"a"}, {"id":2}],"prices":{},"open":true,"level":0})") ==
        "JSON: missing field at $.items[1].name, byte 31");
  CHECK(refusal<Order>(R"({"items":[],"prices":{"a b":"x"},"open":true,"level":0})") ==
        "JSON: expected a number at $.prices[\"a b\"], byte 28");
  CHECK(refusal<std::map<std::string, int>>(R"({"a":1,"b":2,"a":3})") ==
        "JSON: expected each name once at $.a, byte 17");
  CHECK(refusal<std::vector<std::vector<int>>>("[[1],[2,\"\"]]") ==
        "JSON: expected an integer at $[1][1], byte 8");
  // The second of two equal unknown names is no hindrance to finding the place.
  CHECK(refusal<Item>(R"({"u":[1],"u":[2],"id":1,"name":2})") ==
        "JSON: expected a string at $.name, byte 31");
}

TEST_CASE("json_fault_text: a long or strange name stays one short line") {
  const std::string name = std::string(62, 'n') + "\xc3\xa4" + std::string(5000, 'n');
  const std::string text = refusal<std::map<std::string, int>>("{\"" + name + "\":null}");
  CHECK(text == "JSON: expected an integer at $[\"" + std::string(62, 'n') + "\xc3\xa4\"...], byte 5068");
  const std::string cut = refusal<std::map<std::string, int>>("{\"n" + name + "\":null}");
  CHECK(cut == "JSON: expected an integer at $[\"" + std::string(63, 'n') + "\"...], byte 5069");
  CHECK(refusal<std::map<std::string, int>>(R"({"a\r\nb":null})") ==
        R"(JSON: expected an integer at $["a\r\nb"], byte 10)");
}

TEST_CASE("is_json_type: application/json, +json, or none") {
  using millrace::detail::is_json_type;
  for (const char* type :
       {"application/json", "Application/JSON", "application/json; charset=utf-8", "application/json ;x",
        " application/json", "application/problem+json", "image/x+JSON;v=1", ""}) {
    CAPTURE(type);
    CHECK(is_json_type(type));
  }
  for (const char* type :
       {"text/plain", "application/jsonp", "application/x-www-form-urlencoded", "json", "/json", "text/json",
        "application/+json", "/x+json", "x+json", ";", " ", "application/json-seq", "text/plain;a=b+json"}) {
    CAPTURE(type);
    CHECK_FALSE(is_json_type(type));
  }
}
