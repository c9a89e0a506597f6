// Goal: bytes kept come out in order, whatever is appended and consumed in between, and no block stays.
#include "engine/net/input.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace millrace;

TEST_CASE("input: in order, through growth and moves") {
  mem::BlockPool pool(1 << 20);
  net::Input input;
  std::string want;
  unsigned char next = 0;
  for (unsigned round = 0; round < 2000; ++round) {
    std::string bytes(round * 37 % 301, '\0');
    for (char& byte : bytes) byte = static_cast<char>(next++);
    REQUIRE(net::append_input(input, pool, bytes.data(), bytes.size()));
    want += bytes;
    const std::size_t size = round * 53 % 311 < want.size() ? round * 53 % 311 : want.size();
    net::consume_input(input, pool, size);
    want.erase(0, size);
    REQUIRE(std::string(input.data(), input.size()) == want);
  }
  net::consume_input(input, pool, input.size());
  CHECK(pool.bytes_used() == 0);
}

TEST_CASE("input: a full pool loses nothing") {
  mem::BlockPool pool(1024);
  net::Input input;
  REQUIRE(net::append_input(input, pool, "abc", 3));
  const std::string large(4096, 'x');
  CHECK_FALSE(net::append_input(input, pool, large.data(), large.size()));
  CHECK(std::string(input.data(), input.size()) == "abc");
  net::consume_input(input, pool, 3);
}
