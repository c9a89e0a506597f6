// What is written reads back as the same value; and what both cost in memory.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/serve/count_new.hpp"
#include "tests/unit/serve/json_test.hpp"

namespace {

enum class Kind : std::int32_t {};

struct Leaf {
  bool flag = false;
  std::int8_t small = 0;
  std::uint64_t large = 0;
  std::int64_t signed_large = 0;
  double real = 0;
  float single = 0;
  Kind kind{};
  bool operator==(const Leaf&) const = default;
};
MR_JSON(Leaf, flag, small, large, signed_large, real, single, kind)

struct Node {
  std::string text;
  std::optional<std::string> note;
  std::vector<Leaf> leaves;
  std::vector<bool> bits;
  std::map<std::string, Node> children;
  std::optional<std::vector<std::optional<int>>> holes;
  bool operator==(const Node&) const = default;
};
MR_JSON(Node, text, note, leaves, bits, children, holes)

struct Numbers {
  std::int64_t id = 0;
  double ratio = 0;
  bool on = false;
  std::optional<int> count;
};
MR_JSON(Numbers, id, ratio, on, count)

using Random = std::mt19937_64;

std::string random_text(Random& random) {
  static constexpr std::string_view pieces[] = {
      "a", "\"", "\\", "\n", "\x01", "\x7f", "/", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "b", " "};
  std::string text;
  for (std::uint64_t left = random() % 20; left > 0; --left) text += pieces[random() % std::size(pieces)];
  if (random() % 10 == 0) text += '\0';
  return text;
}

template <class T, class Bits>
T random_float(Random& random) {
  for (;;) {
    const T value = random() % 4 == 0 ? static_cast<T>(static_cast<std::int64_t>(random()) >> (random() % 64))
                                      : std::bit_cast<T>(static_cast<Bits>(random()));
    if (std::isfinite(value)) return value;
  }
}

Leaf random_leaf(Random& random) {
  return {random() % 2 == 0,
          static_cast<std::int8_t>(random()),
          random() >> (random() % 64),
          static_cast<std::int64_t>(random()) >> (random() % 64),
          random_float<double, std::uint64_t>(random),
          random_float<float, std::uint32_t>(random),
          static_cast<Kind>(static_cast<std::int32_t>(random()))};
}

Node random_node(Random& random, int depth) {
  Node node;
  node.text = random_text(random);
  if (random() % 2 == 0) node.note = random_text(random);
  for (std::uint64_t left = random() % 4; left > 0; --left) node.leaves.push_back(random_leaf(random));
  for (std::uint64_t left = random() % 4; left > 0; --left) node.bits.push_back(random() % 2 == 0);
  if (depth > 0) {
    for (std::uint64_t left = random() % 3; left > 0; --left) {
      node.children.emplace(random_text(random), random_node(random, depth - 1));
    }
  }
  if (random() % 2 == 0) node.holes = std::vector<std::optional<int>>{1, std::nullopt, -5};
  return node;
}

}  // namespace

TEST_CASE("JSON: random values read back as they were written") {
  Random random(20261120);
  for (int round = 0; round < 3000; ++round) {
    const Node node = random_node(random, 4);
    const std::string text = millrace::test::write(node);
    Node back;
    REQUIRE(millrace::test::read(text, back) == "");
    REQUIRE(back == node);
    REQUIRE(millrace::test::write(back) == text);  // -0.0 == 0.0, but not in writing.
  }
}

TEST_CASE("JSON: random numbers read back as they were written") {
  Random random(7);
  for (int round = 0; round < 200'000; ++round) {
    const Leaf leaf = random_leaf(random);
    Leaf back;
    REQUIRE(millrace::test::read(millrace::test::write(leaf), back) == "");
    REQUIRE(back == leaf);
  }
}

TEST_CASE("JSON: reading and writing allocate nothing once parser and string have their size") {
  const std::string padded =
      R"({"id":12345678901,"ratio":0.25,"on":true,"count":3,"unknown":"text"})" + std::string(64, '\0');
  const std::string_view body(padded.data(), padded.size() - 64);
  std::string out;
  std::size_t before = 0;
  for (int round = 0; round < 1000; ++round) {
    if (round == 1) before = millrace::test::news();
    millrace::detail::JsonNode root;
    millrace::detail::JsonFault fault;
    Numbers numbers;
    REQUIRE(millrace::detail::json_parse(body, root, fault));
    REQUIRE(millrace::detail::read_json(root, numbers, fault));
    out.clear();
    millrace::detail::append_json(out, numbers);
  }
  CHECK(millrace::test::news() == before);
  CHECK(out == R"({"id":12345678901,"ratio":0.25,"on":true,"count":3})");
}

TEST_CASE("json_parse: a text of megabytes does not keep the parser large") {
  std::vector<int> numbers(400'000, 1234567);
  const std::string padded = millrace::test::write(numbers) + std::string(64, '\0');
  millrace::detail::JsonNode root;
  millrace::detail::JsonFault fault;
  std::vector<int> back;
  REQUIRE(millrace::detail::json_parse({padded.data(), padded.size() - 64}, root, fault));
  REQUIRE(millrace::detail::read_json(root, back, fault));
  CHECK(back == numbers);
  const std::size_t before = millrace::test::news();
  CHECK(millrace::test::read("[1]", back) == "");
  CHECK(millrace::test::news() > before + 2);  // A new, small parser in place of the large one.
  CHECK(back == std::vector{1});
}
