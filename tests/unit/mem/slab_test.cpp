#include <doctest/doctest.h>

#include "engine/mem/slab.hpp"

using millrace::mem::Slab;

namespace {
struct Thing {
  int value;
  explicit Thing(int v) : value(v) {}
};
}  // namespace

TEST_CASE("Slab: a slot used again is not found by its old generation") {
  Slab<Thing> slab(4);
  Thing* first = slab.make(1);
  REQUIRE(first != nullptr);
  const auto number = slab.number_of(*first);
  const auto generation = slab.generation_of(*first);
  CHECK(slab.find(number, generation) == first);
  slab.destroy(*first);
  CHECK(slab.find(number, generation) == nullptr);
  Thing* second = slab.make(2);
  CHECK(slab.number_of(*second) == number);
  CHECK(slab.find(number, generation) == nullptr);
  CHECK(slab.find(number, slab.generation_of(*second))->value == 2);
  slab.destroy(*second);
}

TEST_CASE("Slab: full gives null, and a freed slot serves again") {
  Slab<Thing> slab(2);
  Thing* a = slab.make(1);
  Thing* b = slab.make(2);
  CHECK(slab.make(3) == nullptr);
  slab.destroy(*a);
  Thing* c = slab.make(4);
  CHECK(c != nullptr);
  CHECK(slab.live_count() == 2);
  slab.destroy(*b);
  slab.destroy(*c);
}

TEST_CASE("Slab: grows by chunks and visits the living") {
  Slab<Thing> slab(1000);
  Thing* things[600];
  for (int i = 0; i < 600; ++i) things[i] = slab.make(i);
  for (int i = 0; i < 600; i += 2) slab.destroy(*things[i]);
  int sum = 0;
  slab.for_each([&](Thing& thing) { sum += thing.value; });
  CHECK(sum == 300 * 300);
  for (int i = 1; i < 600; i += 2) slab.destroy(*things[i]);
}
