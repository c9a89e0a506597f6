// Goal: heads that repeat are answered as often as they came, and no other is taken for one of them. Method: a
// session in memory, the input also cut at every byte.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/memory_wire.hpp"
#include "tests/unit/proto/script_handler.hpp"

using namespace millrace;
using test::bodies_of;
using Bodies = std::vector<std::string>;

namespace {

std::string get(std::string_view path) { return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n"; }

struct Fixture {
  h1::Options options;
  test::ScriptHandler handler;
  test::MemoryWire wire{options, handler};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "h1: of heads that repeat each is answered, and none that only resembles them") {
  // Runs of one head between others of its length and of other lengths; the last run may be cut.
  const struct {
    std::string_view path;
    std::size_t times;
  } runs[] = {{"/a", 5}, {"/b", 1}, {"/a", 1}, {"/b", 7}, {"/bb", 2}, {"/b", 3}, {"/a", 4}};
  std::string input;
  Bodies wanted;
  for (const auto& run : runs) {
    for (std::size_t i = 0; i < run.times; ++i) {
      input += get(run.path);
      wanted.emplace_back(run.path);
    }
  }
  for (std::size_t cut = 0; cut <= input.size(); ++cut) {
    CAPTURE(cut);
    REQUIRE(bodies_of(wire.send_cut(input, cut)) == wanted);
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "h1: copies of a head that wait, and copies behind the last reply there is room for") {
  std::string input;
  for (unsigned i = 0; i < 3; ++i) input += get("/later/1");
  CHECK(wire.send(input).empty());
  CHECK(handler.started == 3);
  for (unsigned i = 0; i < 3; ++i) handler.answer("1");
  CHECK(bodies_of(wire.take()) == Bodies(3, "/later/1"));
  wire.close();
  wire.open();
  handler.started = 0;
  input.clear();
  for (unsigned i = 0; i < 1000; ++i) input += get("/a");
  CHECK(bodies_of(wire.send(input)) == Bodies(1000, "/a"));
  CHECK(handler.started == 1000);
}
