// Goal: the bytes that leave are the bytes that came, in order, however sends are cut, and every block
// comes back. Method: a seeded mixture of all operations beside a plain string.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <random>
#include <string>

#include "engine/net/chain.hpp"

using millrace::mem::BlockPool;
using millrace::net::Chain;
using millrace::net::FileInChain;

namespace {

std::string parts_of(Chain& chain) {
  std::string text;
  for (const iovec& part : chain.gather()) text.append(static_cast<const char*>(part.iov_base), part.iov_len);
  return text;
}

}  // namespace

TEST_CASE("Chain: small appends share a block and one part") {
  BlockPool pool(1 << 20);
  Chain chain;
  for (int i = 0; i < 24; ++i) REQUIRE(chain.append(pool, "0123456789"));
  CHECK(chain.bytes() == 240);
  CHECK(chain.gather().size() == 1);
  CHECK(pool.bytes_used() == Chain::first_block_bytes);
  chain.consume(pool, 240);
  CHECK(chain.empty());
  CHECK(pool.bytes_used() == 0);
}

TEST_CASE("Chain: a full pool is said, not hidden") {
  BlockPool pool(Chain::first_block_bytes);
  Chain chain;
  CHECK_FALSE(chain.append(pool, std::string(10'000, 'x')));
  chain.clear(pool);
  CHECK(chain.room(pool, Chain::largest_room) == nullptr);
  CHECK(pool.bytes_used() == 0);
}

TEST_CASE("Chain: what comes meanwhile does not disturb the parts of a send in flight") {
  BlockPool pool(1 << 20);
  Chain chain, other;
  REQUIRE(chain.append(pool, "first"));
  const auto parts = chain.gather();
  REQUIRE(chain.append(pool, std::string(20'000, 'y')));
  REQUIRE(other.append(pool, "tail"));
  chain.take_over(other);
  CHECK(std::string(static_cast<const char*>(parts[0].iov_base), parts[0].iov_len) == "first");
  chain.consume(pool, 5);
  CHECK(parts_of(chain) == std::string(20'000, 'y') + "tail");
  chain.clear(pool);
}

TEST_CASE("Chain: a file stands between the bytes around it") {
  BlockPool pool(1 << 20);
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const millrace::net::FileFacts facts{.size_bytes = 10'000};
  Chain chain, other;
  {
    const millrace::net::FileRef file(ends[1], facts);
    REQUIRE(chain.append(pool, "head"));
    REQUIRE(chain.append_file(pool, {file, 500, 9000}));
    REQUIRE(chain.append(pool, "tail"));
    REQUIRE(other.append_file(pool, {file, 0, 10}));
    chain.take_over(other);
  }
  CHECK(chain.bytes() == 9018);
  FileInChain* file = nullptr;
  auto parts = chain.gather(file);
  REQUIRE(parts.size() == 1);
  CHECK(parts[0].iov_len == 4);
  REQUIRE(file != nullptr);
  CHECK(file->unsent.offset == 500);
  CHECK(file->unsent.size_bytes == 9000);
  CHECK(file->unsent.descriptor == ends[1]);
  CHECK(file->unsent.room.size() > 1000);
  chain.consume(pool, 3);
  CHECK(chain.gather(file)[0].iov_len == 1);
  CHECK(file != nullptr);
  chain.consume(pool, 1001);
  CHECK(chain.gather(file).empty());
  REQUIRE(file != nullptr);
  CHECK(file->unsent.offset == 1500);
  CHECK(file->unsent.size_bytes == 8000);
  chain.consume(pool, 8002);
  parts = chain.gather(file);
  REQUIRE(parts.size() == 1);
  CHECK(std::string(static_cast<const char*>(parts[0].iov_base), parts[0].iov_len) == "il");
  REQUIRE(file != nullptr);
  CHECK(file->unsent.size_bytes == 10);
  CHECK(fcntl(ends[1], F_GETFD) >= 0);
  chain.consume(pool, 12);
  CHECK(chain.empty());
  CHECK(fcntl(ends[1], F_GETFD) < 0);  // The last reference has gone, and closed it.
  CHECK(pool.bytes_used() == 0);
  close(ends[0]);
}

TEST_CASE("Chain: a file does not fit a full pool, and goes with clear()") {
  BlockPool pool(Chain::first_block_bytes);
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  Chain chain;
  {
    const millrace::net::FileRef file(ends[1], {.size_bytes = 10});
    REQUIRE(chain.append_file(pool, {file, 0, 10}));
    CHECK_FALSE(chain.append_file(pool, {file, 0, 10}));
  }
  CHECK(chain.bytes() == 10);
  chain.clear(pool);
  CHECK(fcntl(ends[1], F_GETFD) < 0);
  close(ends[0]);
}

TEST_CASE("Chain: room that was asked for and not used is no part") {
  BlockPool pool(1 << 20);
  Chain chain;
  REQUIRE(chain.append(pool, "before"));
  REQUIRE(chain.room(pool, Chain::first_block_bytes) != nullptr);  // A block of its own.
  char* const room = chain.room(pool, Chain::largest_room);        // And one behind that.
  REQUIRE(room != nullptr);
  std::memcpy(room, "behind", 6);
  chain.commit(6);
  FileInChain* file = nullptr;
  CHECK(chain.gather(file).size() == 2);
  CHECK(parts_of(chain) == "beforebehind");
  chain.consume(pool, 12);
  CHECK(chain.empty());
  CHECK(pool.bytes_used() == 0);
}

TEST_CASE("Chain: any mixture of operations keeps the bytes") {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    BlockPool pool(64 << 20);
    Chain chain;
    std::string expected;
    for (int step = 0; step < 60; ++step) {
      const std::string text(random() % (step % 7 == 0 ? 100'000 : 300),
                             static_cast<char>('a' + random() % 26));
      switch (random() % 4) {
        case 0: {
          REQUIRE(chain.append(pool, text));
          expected += text;
          break;
        }
        case 1: {
          const std::size_t size = text.size() % 4000;
          char* to = chain.room(pool, size);
          REQUIRE(to != nullptr);
          std::memcpy(to, text.data(), size);
          chain.commit(size);
          expected += text.substr(0, size);
          break;
        }
        case 2: {
          Chain other;
          REQUIRE(other.append(pool, text));
          chain.take_over(other);
          REQUIRE(other.empty());
          expected += text;
          break;
        }
        default: {
          if (chain.empty()) break;
          const std::string head = parts_of(chain);
          REQUIRE(expected.starts_with(head));
          const std::size_t sent = 1 + random() % head.size();
          chain.consume(pool, sent);
          expected.erase(0, sent);
        }
      }
      REQUIRE(chain.bytes() == expected.size());
    }
    while (!chain.empty()) {
      const std::string head = parts_of(chain);
      REQUIRE(expected.starts_with(head));
      expected.erase(0, head.size());
      chain.consume(pool, head.size());
    }
    REQUIRE(expected.empty());
    chain.clear(pool);
    REQUIRE(pool.bytes_used() == 0);
  }
}
