// Goal: what is compressed comes back, with and without a context kept; what is bad or a bomb is told.
// Source: RFC 7692 section 7.2.3, whose octets stand here.
#include "engine/proto/ws/deflate.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>

using namespace millrace;
using namespace millrace::ws;
using namespace std::string_view_literals;

namespace {

constexpr std::uint64_t plenty = 64 << 20;

struct Expanded {
  InflateOutcome outcome;
  std::string text;
};

Expanded expand(Inflater& inflater, mem::BlockPool& pool, std::string_view payload, bool keep = false,
                std::size_t bytes_max = 1 << 20) {
  Bytes out;
  const InflateOutcome outcome = inflater.expand(payload, Content::bytes, keep, bytes_max, pool, out);
  Expanded expanded{outcome, std::string(out.view())};
  out.clear(pool);
  return expanded;
}

std::string compress(Deflater& deflater, mem::BlockPool& pool, std::string_view message, bool keep = false) {
  Bytes out;
  REQUIRE(deflater.compress(message, keep, pool, out));
  std::string payload(out.view());
  out.clear(pool);
  return payload;
}

/// Bytes that do not compress, the same each time.
std::string noise(std::size_t size) {
  std::string text(size, '\0');
  std::uint32_t state = 1;
  for (char& byte : text) byte = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return text;
}

}  // namespace

TEST_CASE("ws inflate: the examples of RFC 7692 section 7.2.3") {
  mem::BlockPool pool(plenty);
  Inflater inflater(pool, 15);
  REQUIRE(inflater.ready());
  const struct {
    const char* name;
    std::string_view payload;
  } cases[] = {
      {"one block", "\xf2\x48\xcd\xc9\xc9\x07\x00"sv},
      {"no compression", "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"sv},
      {"marked as the last block", "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"sv},
      {"two blocks", "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"sv},
  };
  for (const auto& c : cases) {
    CAPTURE(c.name);
    const Expanded got = expand(inflater, pool, c.payload);
    CHECK(got.outcome == InflateOutcome::done);
    CHECK(got.text == "Hello");
  }
  CHECK(expand(inflater, pool, "\xf2\x48\xcd\xc9\xc9\x07\x00"sv, true).text == "Hello");
  CHECK(expand(inflater, pool, "\xf2\x00\x11\x00\x00"sv, true).text == "Hello");  // By the context kept.
  CHECK(expand(inflater, pool, "\x00"sv).text == "");
}

TEST_CASE("ws inflate: no stream, or one that ends within a block") {
  mem::BlockPool pool(plenty);
  Inflater inflater(pool, 15);
  for (const std::string_view payload : {"\xff\xff"sv, "\x07"sv, "\x00\x06\x00\xf9\xff\x48"sv}) {
    CHECK(expand(inflater, pool, payload).outcome == InflateOutcome::bad);
    CHECK(expand(inflater, pool, "\xf2\x48\xcd\xc9\xc9\x07\x00"sv).text == "Hello");  // It does not stick.
  }
}

TEST_CASE("ws inflate: a bomb is stopped at the limit") {
  mem::BlockPool pool(plenty);
  Deflater deflater(pool, 15);
  Inflater inflater(pool, 15);
  const std::string bomb = compress(deflater, pool, std::string(32 << 20, '0'));
  CHECK(bomb.size() < 200'000);
  const std::uint64_t before = pool.bytes_used();
  Bytes out;
  CHECK(inflater.expand(bomb, Content::bytes, false, 64 << 10, pool, out) == InflateOutcome::too_large);
  CHECK(pool.bytes_used() - before <= 192 << 10);  // And the window.
  out.clear(pool);
  for (const std::size_t size : {1000u, 1023u, 1024u, 1025u}) {
    const std::string payload = compress(deflater, pool, std::string(size, 'x'));
    CHECK((expand(inflater, pool, payload, false, 1024).outcome == InflateOutcome::done) == (size <= 1024));
  }
}

TEST_CASE("ws inflate: a text that is none is told where that shows, and no further is expanded") {
  mem::BlockPool pool(plenty);
  Deflater deflater(pool, 15);
  Inflater inflater(pool, 15);
  for (const bool keep : {false, true}) {
    Bytes out;
    const std::string text = "good\xc0\xaf" + std::string(1 << 20, 'x');  // An overlong form.
    const std::string payload = compress(deflater, pool, text, false);
    CHECK(inflater.expand(payload, Content::text, keep, plenty, pool, out) == InflateOutcome::bad);
    CHECK(out.size() <= 1024);
    out.clear(pool);
    CHECK(inflater.expand(payload, Content::bytes, keep, plenty, pool, out) == InflateOutcome::done);
    CHECK((out.view() == text));
    out.clear(pool);
  }
}

TEST_CASE("ws inflate: a text with a character across each step is good, and cut at its end it is not") {
  mem::BlockPool pool(plenty);
  Deflater deflater(pool, 15);
  Inflater inflater(pool, 15);
  const std::string_view wide = "\xf0\x9f\x9a\x80";
  for (const std::size_t step : {0u, 1024u, 2048u, 4096u}) {
    for (std::size_t before = step - std::min<std::size_t>(step, 4); before <= step + 1; ++before) {
      for (std::size_t taken = 1; taken <= wide.size(); ++taken) {
        const std::string text = std::string(before, 'a').append(wide.substr(0, taken));
        for (const std::string& whole : {text, text + "more"}) {
          Bytes out;
          const std::string payload = compress(deflater, pool, whole);
          const bool good =
              inflater.expand(payload, Content::text, false, 1 << 20, pool, out) == InflateOutcome::done;
          CHECK(good == (taken == wide.size()));
          out.clear(pool);
        }
      }
    }
  }
}

TEST_CASE("ws deflate: every size comes back, at every window") {
  mem::BlockPool pool(plenty);
  for (unsigned bits = 9; bits <= 15; ++bits) {
    for (const bool keep : {false, true}) {
      Deflater deflater(pool, bits);
      Inflater inflater(pool, bits);
      REQUIRE(deflater.ready());
      REQUIRE(inflater.ready());
      for (const std::size_t size : {1u, 2u, 100u, 1000u, 1024u, 70'000u}) {
        for (const std::string& text : {std::string(size, 'a'), noise(size)}) {
          const std::string payload = compress(deflater, pool, text, keep);
          CHECK((expand(inflater, pool, payload, keep).text == text));
        }
      }
    }
  }
  CHECK(pool.bytes_used() == 0);
}

TEST_CASE("ws deflate: a context kept makes what repeats smaller, one that is not leaves no trace") {
  mem::BlockPool pool(plenty);
  Deflater deflater(pool, 15);
  const std::string text = noise(300);
  const std::string alone = compress(deflater, pool, text, false);
  CHECK(compress(deflater, pool, text, false) == alone);
  CHECK(compress(deflater, pool, text, true).size() == alone.size());
  CHECK(compress(deflater, pool, text, true).size() < alone.size() / 4);
}

TEST_CASE("ws deflate: says so when memory is out") {
  mem::BlockPool pool(16 << 10);
  Deflater deflater(pool, 15);
  CHECK_FALSE(deflater.ready());
  Inflater inflater(pool, 15);
  REQUIRE(inflater.ready());
  mem::BlockPool roomy(plenty);
  Deflater fine(roomy, 15);
  const std::string payload = compress(fine, roomy, std::string(60'000, 'a'));
  CHECK(expand(inflater, pool, payload).outcome == InflateOutcome::no_memory);
}
