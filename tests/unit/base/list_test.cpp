#include "engine/base/list.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <random>
#include <vector>

#include "tests/unit/base/death.hpp"

namespace {

struct FirstTag;
struct SecondTag;
struct Item : millrace::ListLink<FirstTag>, millrace::ListLink<SecondTag> {
  int value = 0;
};
using First = millrace::List<Item, FirstTag>;
using Second = millrace::List<Item, SecondTag>;

std::vector<int> values(First& list) {
  std::vector<int> out;
  list.for_each([&](Item& item) { out.push_back(item.value); });
  return out;
}

std::array<Item, 5> five_items() {
  std::array<Item, 5> items;
  for (int i = 0; i < 5; ++i) items[i].value = i;
  return items;
}

}  // namespace

TEST_CASE("List: first in, first out") {
  auto items = five_items();
  First list;
  CHECK(list.empty());
  CHECK(list.size() == 0);
  for (Item& item : items) list.push_back(item);
  CHECK(list.size() == 5);
  CHECK(list.front().value == 0);
  for (int want = 0; want < 5; ++want) {
    Item& item = list.pop_front();
    CHECK(item.value == want);
    CHECK(!static_cast<millrace::ListLink<FirstTag>&>(item).linked());
  }
  CHECK(list.empty());
}

TEST_CASE("List: an element leaves from the front, the middle and the end") {
  auto items = five_items();
  First list;
  for (Item& item : items) list.push_back(item);
  for (const int leaver : {0, 2, 4}) static_cast<millrace::ListLink<FirstTag>&>(items[leaver]).unlink();
  CHECK(values(list) == std::vector{1, 3});
  list.push_back(items[0]);
  CHECK(values(list) == std::vector{1, 3, 0});
  while (!list.empty()) list.pop_front();
}

TEST_CASE("List: an element is a member by each of its tags, independently") {
  auto items = five_items();
  First first;
  Second second;
  for (Item& item : items) {
    first.push_back(item);
    second.push_back(item);
  }
  first.pop_front();
  CHECK(first.size() == 4);
  CHECK(second.size() == 5);
  while (!first.empty()) first.pop_front();
  while (!second.empty()) second.pop_front();
}

TEST_CASE("List: splice_back moves all, keeps the order, and leaves an empty list that works") {
  auto items = five_items();
  First to;
  First from;
  to.splice_back(from);
  CHECK(to.empty());
  to.push_back(items[0]);
  for (int i = 1; i < 4; ++i) from.push_back(items[i]);
  to.splice_back(from);
  CHECK(values(to) == std::vector{0, 1, 2, 3});
  CHECK(from.empty());
  from.push_back(items[4]);
  First empty;
  empty.splice_back(to);
  empty.splice_back(from);
  CHECK(values(empty) == std::vector{0, 1, 2, 3, 4});
  while (!empty.empty()) empty.pop_front();
}

TEST_CASE("List: for_each may take out the element it is given") {
  auto items = five_items();
  First list;
  for (Item& item : items) list.push_back(item);
  list.for_each([](Item& item) {
    if (item.value % 2 == 0) static_cast<millrace::ListLink<FirstTag>&>(item).unlink();
  });
  CHECK(values(list) == std::vector{1, 3});
  while (!list.empty()) list.pop_front();
}

TEST_CASE("List: misuse aborts") {
  CHECK(dies([] {
    First list;
    list.pop_front();
  }));
  CHECK(dies([] {
    Item item;
    First list;
    list.push_back(item);
    list.push_back(item);
  }));
  CHECK(dies([] {
    Item item;
    static_cast<millrace::ListLink<FirstTag>&>(item).unlink();
  }));
}

// Method: seeded random operations, each mirrored on a std::deque.
TEST_CASE("List: agrees with a deque") {
  std::mt19937 random(20261120);
  std::vector<Item> items(64);
  for (int i = 0; i < 64; ++i) items[i].value = i;
  First list;
  std::deque<int> reference;
  for (int step = 0; step < 20'000; ++step) {
    Item& item = items[random() % items.size()];
    auto& link = static_cast<millrace::ListLink<FirstTag>&>(item);
    const auto at = std::find(reference.begin(), reference.end(), item.value);
    REQUIRE(link.linked() == (at != reference.end()));
    if (!link.linked()) {
      list.push_back(item);
      reference.push_back(item.value);
    } else if (random() % 4 != 0) {
      link.unlink();
      reference.erase(at);
    } else {
      REQUIRE(list.pop_front().value == reference.front());
      reference.pop_front();
    }
    if (step % 64 == 0) REQUIRE(values(list) == std::vector<int>(reference.begin(), reference.end()));
  }
  while (!list.empty()) list.pop_front();
}
