#include <doctest/doctest.h>

#include <cstring>

#include "engine/mem/block_pool.hpp"

using millrace::mem::Block;
using millrace::mem::BlockPool;

TEST_CASE("BlockPool: sizes are rounded to powers of two and counted") {
  BlockPool pool(1 << 20);
  const Block small = pool.take(1);
  CHECK(small.capacity_bytes == 256);
  const Block large = pool.take(257);
  CHECK(large.capacity_bytes == 512);
  CHECK(pool.bytes_used() == 768);
  pool.give(small);
  pool.give(large);
  CHECK(pool.bytes_used() == 0);
}

TEST_CASE("BlockPool: the block given last is taken first") {
  BlockPool pool(1 << 20);
  const Block first = pool.take(1000);
  pool.give(first);
  const Block again = pool.take(1024);
  CHECK(again.data == first.data);
  pool.give(again);
}

TEST_CASE("BlockPool: past bytes_max it gives an empty block and stays usable") {
  BlockPool pool(1024);
  const Block all = pool.take(1024);
  REQUIRE(all);
  CHECK_FALSE(pool.take(1));
  pool.give(all);
  const Block one = pool.take(1);
  CHECK(one);
  pool.give(one);
}

TEST_CASE("BlockPool: grow keeps the bytes, and leaves the block alone where it cannot") {
  BlockPool pool(4096);
  Block block = pool.take(256);
  std::memcpy(block.data, "millrace", 8);
  CHECK_FALSE(pool.grow(block, 8, 8192));
  block = pool.grow(block, 8, 2000);
  REQUIRE(block);
  CHECK(block.capacity_bytes == 2048);
  CHECK(std::memcmp(block.data, "millrace", 8) == 0);
  CHECK(pool.bytes_used() == 2048);
  pool.give(block);
}

TEST_CASE("BlockPool: blocks over the pooled size are given back to the allocator") {
  BlockPool pool(64u << 20);
  const Block huge = pool.take(BlockPool::largest_pooled_bytes + 1);
  REQUIRE(huge);
  CHECK(huge.capacity_bytes == 2 * BlockPool::largest_pooled_bytes);
  pool.give(huge);
  CHECK(pool.bytes_used() == 0);
}

TEST_CASE("BlockPool: a block larger than its capacity can tell is refused, and nothing is lost") {
  BlockPool pool(std::uint64_t{1} << 44);
  CHECK_FALSE(pool.take(BlockPool::largest_bytes + 1));
  CHECK_FALSE(pool.take(std::size_t{1} << 40));
  CHECK(pool.bytes_used() == 0);
}
