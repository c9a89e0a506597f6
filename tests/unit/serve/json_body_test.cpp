#include <doctest/doctest.h>
#include <millrace/json.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace {

struct Item {
  int id = 0;
  std::optional<std::string> name;
};
MR_JSON(Item, id, name)

struct Outcome {
  bool ok = false;
  Item item;
  millrace::detail::Refusal refusal;
};

Outcome read(std::string_view content_type, std::string_view text) {
  const std::string padded = std::string(text) + std::string(64, 'x');  // What follows is not looked at.
  Outcome outcome;
  outcome.ok = millrace::detail::read_json_body(content_type, std::string_view(padded).substr(0, text.size()),
                                                outcome.item, outcome.refusal);
  return outcome;
}

}  // namespace

TEST_CASE("Json: a body is read into the value, whatever stands behind it") {
  const Outcome outcome = read("application/json; charset=utf-8", R"({"id":7,"name":"x"})");
  CHECK(outcome.ok);
  CHECK(outcome.item.id == 7);
  CHECK(outcome.item.name == "x");
  CHECK(read("", R"({"id":1})").ok);
  CHECK(read("application/merge-patch+json", R"({"id":1})").ok);
}

TEST_CASE("Json: a body of another type is answered 415, whatever it holds") {
  const Outcome outcome = read("text/plain", R"({"id":1})");
  CHECK_FALSE(outcome.ok);
  CHECK(outcome.refusal.status == 415);
  CHECK(outcome.refusal.message == "JSON: expected the Content-Type application/json");
}

TEST_CASE("Json: a body that does not fit is answered 400, with its place") {
  struct Case {
    std::string_view body;
    std::string_view message;
  };
  static constexpr Case cases[] = {
      {"", "JSON: expected a value at $, byte 0"},
      {R"({"id":1)", "JSON: expected a comma or a closing brace at $, byte 7"},
      {R"({"id":1}})", "JSON: expected nothing more at $, byte 8"},
      {R"({"id":[01]})", "JSON: expected a comma or a closing bracket at $.id, byte 8"},
      {R"({"name":"x"})", "JSON: missing field at $.id, byte 0"},
      {R"({"id":"7"})", "JSON: expected an integer at $.id, byte 6"},
      {R"({"id":7,"name":7})", "JSON: expected a string at $.name, byte 15"},
      {"[]", "JSON: expected an object at $, byte 0"},
  };
  for (const Case& c : cases) {
    const Outcome outcome = read("application/json", c.body);
    CAPTURE(c.body);
    CHECK_FALSE(outcome.ok);
    CHECK(outcome.refusal.status == 400);
    CHECK(outcome.refusal.message == c.message);
  }
}
