#include "engine/serve/path_table.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "engine/serve/router.hpp"

using millrace::serve::Leaf;
using millrace::serve::PathTable;

TEST_CASE("path table: what was added, and nothing else") {
  std::vector<std::string> paths = {"/",    "/a",      "/b",       "/ab",
                                    "/abc", "/abcdef", "/abcdefg", "/abcdefghijklmno"};
  // Alike in size, both ends and the middle: they share a hash, and stand in a row.
  for (char byte = 'a'; byte <= 'z'; ++byte)
    paths.push_back("/" + std::string(15, '.') + byte + std::string(47, '.'));
  std::vector<Leaf> leaves(paths.size());
  PathTable table(paths.size());
  for (std::size_t i = 0; i < paths.size(); ++i) table.add(paths[i], leaves[i]);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    CAPTURE(paths[i]);
    CHECK(table.find(paths[i]) == &leaves[i]);
    CHECK(table.find(paths[i] + "/") == nullptr);
  }
  for (const char* path : {"", "x", "*", "/c", "/ba", "/abcdefgh", "/abcdefghijklmnO"}) {
    CAPTURE(path);
    CHECK(table.find(path) == nullptr);
  }
  CHECK(table.find("/" + std::string(15, '.') + "A" + std::string(47, '.')) == nullptr);
}
