#include <doctest/doctest.h>
#include <millrace/detail/query_read.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace {

enum class Order : int { ascending = 1, descending = 2 };

struct Search {
  std::string text;
  std::optional<std::uint8_t> page = 1;
  std::vector<std::string> tag;
  std::optional<bool> exact;
  std::optional<double> ratio;
  std::optional<Order> order;
};
MR_JSON(Search, text, page, tag, exact, ratio, order)

std::string refusal(std::string_view query) {
  Search search;
  return millrace::detail::read_query(query, search, millrace::detail::fields_of<Search>);
}

Search good(std::string_view query) {
  Search search;
  CHECK(millrace::detail::read_query(query, search, millrace::detail::fields_of<Search>) == "");
  return search;
}

}  // namespace

TEST_CASE("Query: every kind of field, decoded") {
  const Search search =
      good("exact=true&text=a%20b+c%26d&tag=x&page=255&unknown=1&tag=%C3%A4&ratio=-1.5e3&order=2");
  CHECK(search.text == "a b c&d");
  CHECK(search.page == 255);
  CHECK(search.tag == std::vector<std::string>{"x", "\xc3\xa4"});
  CHECK(search.exact == true);
  CHECK(search.ratio == -1500.0);
  CHECK(search.order == Order::descending);
}

TEST_CASE("Query: what may be missing keeps its initial value") {
  const Search search = good("text=");
  CHECK(search.text.empty());
  CHECK(search.page == 1);
  CHECK(search.tag.empty());
  CHECK_FALSE(search.exact.has_value());
}

TEST_CASE("Query: odd but valid shapes") {
  CHECK(good("&&text=a&").text == "a");
  CHECK(good("text").text.empty());
  CHECK(good("text=a=b").text == "a=b");
  CHECK(good("te%78t=a").text == "a");
  CHECK(good("=x&text=a").text == "a");
  CHECK(good("text=a&exact=0").exact == false);
}

TEST_CASE("Query: what does not fit is named") {
  struct Case {
    std::string_view query;
    std::string_view want;
  };
  static constexpr Case cases[] = {
      {"", "query: missing parameter: text"},
      {"page=1", "query: missing parameter: text"},
      {"Text=a", "query: missing parameter: text"},
      {"text=a&text=b", "query: expected once: text"},
      {"text=a&page=256", "query: expected an integer from 0 to 255: page"},
      {"text=a&page=-1", "query: expected an integer from 0 to 255: page"},
      {"text=a&page=", "query: expected an integer from 0 to 255: page"},
      {"text=a&page=1x", "query: expected an integer from 0 to 255: page"},
      {"text=a&page=+1", "query: expected an integer from 0 to 255: page"},
      {"text=a&page=%2B1", "query: expected an integer from 0 to 255: page"},
      {"text=a&exact=yes", "query: expected true, false, 1 or 0: exact"},
      {"text=a&exact", "query: expected true, false, 1 or 0: exact"},
      {"text=a&ratio=nan", "query: expected a number: ratio"},
      {"text=a&ratio=inf", "query: expected a number: ratio"},
      {"text=a&ratio=1e400", "query: expected a number: ratio"},
      {"text=a&order=x", "query: expected an integer from -2147483648 to 2147483647: order"},
      {"text=%zz", "query: malformed escape"},
      {"text=a&unknown=%", "query: malformed escape"},
      {"text=a&%4=1", "query: malformed escape"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.query);
    CHECK(refusal(c.query) == c.want);
  }
}
