// Goal: names that every client reads, and none that breaks the field. Source: RFC 6266, RFC 8187.
#include <doctest/doctest.h>
#include <millrace/response.hpp>

using namespace millrace;

TEST_CASE("attachment: names") {
  struct Case {
    std::string_view name, want;
  };
  static constexpr Case cases[] = {
      {"", "attachment"},
      {"a b.txt", "attachment; filename=\"a b.txt\""},
      {"J\xc3\xb6rg.txt", "attachment; filename=\"J_rg.txt\"; filename*=UTF-8''J%C3%B6rg.txt"},
      {"\xe2\x82\xac rates", "attachment; filename=\"_ rates\"; filename*=UTF-8''%E2%82%AC%20rates"},
      {"a\"b\\c", "attachment; filename=\"a_b_c\"; filename*=UTF-8''a%22b%5Cc"},
      {"50%.txt", "attachment; filename=\"50_.txt\"; filename*=UTF-8''50%25.txt"},
      {"it's*.txt", "attachment; filename=\"it's*.txt\""},
      {"a;b", "attachment; filename=\"a;b\""},
      {"\xff", "attachment; filename=\"_\"; filename*=UTF-8''%FF"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const Response response = Response("x").attachment(c.name);
    CHECK(response.fields() == "Content-Disposition: " + std::string(c.want) + "\r\n");
    CHECK(response.problem() == nullptr);
  }
  for (std::string_view bad : {std::string_view("a\r\nX: y"), std::string_view("a\nb"),
                               std::string_view("a\0b", 3), std::string_view("\x7f")}) {
    const Response response = Response("x").attachment(bad);
    CHECK(response.problem() != nullptr);
    CHECK(response.fields() == "");
  }
}
