// Goal: a key seals for one lifetime and opens for another, and never longer than two.
#include <doctest/doctest.h>

#include "engine/ext/tls/ticket_keys.hpp"

namespace millrace::test {
namespace {

using tls::TicketKeys;
TimeNs clock_ns = 0;

TEST_CASE("ticket keys: sealed by the newest, opened by the one before it, renewed, and gone") {
  clock_ns = 1000;
  TicketKeys keys(100, []() noexcept { return clock_ns; });
  TicketKeys::Key first;
  TicketKeys::Key found;
  bool renew = false;
  REQUIRE(keys.newest(first));
  CHECK(keys.find(first.name.data(), found, renew));
  CHECK_FALSE(renew);
  CHECK(found.cipher == first.cipher);
  CHECK(found.mac == first.mac);

  clock_ns += 99;
  TicketKeys::Key same;
  REQUIRE(keys.newest(same));
  CHECK(same.name == first.name);

  clock_ns += 1;
  TicketKeys::Key second;
  REQUIRE(keys.newest(second));
  CHECK(second.name != first.name);
  CHECK(second.cipher != first.cipher);
  CHECK(keys.find(first.name.data(), found, renew));
  CHECK(renew);
  CHECK(found.cipher == first.cipher);

  clock_ns += 100;
  CHECK_FALSE(keys.find(first.name.data(), found, renew));
  CHECK(keys.find(second.name.data(), found, renew));
  CHECK(renew);

  clock_ns += 1000;  // Nobody came for long.
  CHECK_FALSE(keys.find(second.name.data(), found, renew));
}

TEST_CASE("ticket keys: a name nobody gave opens nothing") {
  clock_ns = 1000;
  TicketKeys keys(100, []() noexcept { return clock_ns; });
  TicketKeys::Key found;
  bool renew = false;
  const unsigned char name[TicketKeys::name_bytes] = {};
  CHECK_FALSE(keys.find(name, found, renew));
}

}  // namespace
}  // namespace millrace::test
