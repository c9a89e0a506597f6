#include <doctest/doctest.h>
#include <millrace/json_fields.hpp>

#include <string>

namespace shop {

struct Item {
  long id = 0;
  std::string name;
};
MR_JSON(Item, id, name)

struct Derived : Item {
  int more = 0;
};
struct Complete : Item {
  int more = 0;
};
MR_JSON(Complete, id, name, more);

struct Empty {};
MR_JSON(Empty)

struct Wide {
  int a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9;
  int c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, d0, d1;
};
MR_JSON(Wide, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, c0, c1, c2, c3,
        c4, c5, c6, c7, c8, c9, d0, d1)

struct Without {};

}  // namespace shop

struct Global {
  bool on = false;
};
MR_JSON(Global, on)

using millrace::detail::fields_of;
using millrace::detail::HasFields;

static_assert(HasFields<shop::Item> && HasFields<Global> && HasFields<shop::Empty>);
static_assert(!HasFields<shop::Without> && !HasFields<int> && !HasFields<std::string>);
static_assert(!HasFields<shop::Derived>, "the list of a base would lose fields");
static_assert(HasFields<shop::Complete> && fields_of<shop::Complete>.count == 3);

TEST_CASE("MR_JSON: names in order, up to 32 of them") {
  CHECK(fields_of<shop::Item>.count == 2);
  CHECK(fields_of<shop::Item>.name(0) == "id");
  CHECK(fields_of<shop::Item>.name(1) == "name");
  CHECK(fields_of<shop::Item>.keys[1] == "\"name\":");
  CHECK(fields_of<shop::Empty>.count == 0);
  CHECK(fields_of<shop::Wide>.count == 32);
  CHECK(fields_of<shop::Wide>.name(0) == "a0");
  CHECK(fields_of<shop::Wide>.name(31) == "d1");
}

TEST_CASE("Fields::find: any order, whatever was expected") {
  const auto& fields = fields_of<shop::Wide>;
  for (std::size_t index = 0; index < fields.count; ++index) {
    for (std::size_t expected = 0; expected <= fields.count; ++expected) {
      CHECK(fields.find(fields.name(index), expected) == index);
    }
  }
  CHECK(fields.find("", 0) == fields.count);
  CHECK(fields.find("a", 0) == fields.count);
  CHECK(fields.find("a00", 0) == fields.count);
}
