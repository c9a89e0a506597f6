// Goal: no kernel ever accepts what the strict path refuses, or finds other spans; and each accepts
// what it should by itself. Method: the table of cases whole, cut at every byte, and with every byte
// replaced by every value; then seeded random edits.
#include <doctest/doctest.h>

#include <string>

#include "tests/unit/http/head_cases.hpp"
#include "tests/unit/http/support.hpp"

using namespace millrace::http;
using millrace::Errc;
using millrace::Error;

namespace {

/// Everything that must hold for some bytes. Returns a description of what does not, or "".
class Judge {
 public:
  std::string fault(std::string_view bytes) {
    test::Padded padded(bytes);
    return fault(padded.data(), padded.size());
  }
  std::string fault(const char* data, std::size_t size) {
    const Error strict =
        parse_head_strict(data, size, HeadLimits{.bytes_max = head_bytes_ceiling}, strict_.head);
    bool scalar_complete = false;
    for (const Isa isa : isas_) {
      const Scan scan = kernel_for(isa)(data, size, kernel_.head);
      const bool complete = scan == Scan::complete;
      if (isa == Isa::scalar) scalar_complete = complete;
      if (complete && strict.failed())
        return std::string(name_of(isa)) + " accepts: " + millrace::name_of(strict.code);
      if (complete && !same_head(kernel_.head, strict_.head))
        return std::string(name_of(isa)) + ": other spans";
      if (scan == Scan::incomplete && !strict.failed()) return std::string(name_of(isa)) + " misses the end";
      if (complete != scalar_complete) return std::string(name_of(isa)) + " and scalar differ";
    }
    complete_count_ += scalar_complete ? 1 : 0;
    return {};
  }
  std::uint64_t complete_count() const { return complete_count_; }

 private:
  std::vector<Isa> isas_ = test::usable_isas();
  test::HeadStore strict_;
  test::HeadStore kernel_;
  std::uint64_t complete_count_ = 0;
};

}  // namespace

TEST_CASE("kernels: plain heads are complete without the strict path, and never before their end") {
  for (const Isa isa : test::usable_isas()) {
    for (const test::HeadCase& c : test::head_cases()) {
      CAPTURE(std::string(name_of(isa)));
      CAPTURE(c.name);
      test::HeadStore store;
      for (std::size_t cut = 0; cut <= c.bytes.size(); ++cut) {
        test::Padded padded(c.bytes.substr(0, cut));
        const Scan scan = kernel_for(isa)(padded.data(), padded.size(), store.head);
        const bool good = c.want == Errc::ok && c.by == test::By::kernel && cut == c.bytes.size();
        CHECK((scan == Scan::complete) == good);
      }
    }
  }
}

TEST_CASE("kernels: agree with the strict path on every case, cut anywhere and with bytes behind") {
  Judge judge;
  for (const test::HeadCase& c : test::head_cases()) {
    CAPTURE(c.name);
    for (std::size_t cut = 0; cut <= c.bytes.size(); ++cut) CHECK(judge.fault(c.bytes.substr(0, cut)) == "");
    for (const std::string_view behind :
         {std::string_view("\r\n\r\n"), std::string_view("GET / HTTP/1.1\r\n\r\n"),
          std::string_view("\0\x01\x80\n\r:", 6)}) {
      CHECK(judge.fault(std::string(c.bytes).append(behind)) == "");
    }
  }
}

TEST_CASE("kernels: agree on every byte replaced by every value") {
  Judge judge;
  for (const test::HeadCase& c : test::head_cases()) {
    if (c.want != Errc::ok) continue;
    CAPTURE(c.name);
    test::Padded padded(c.bytes);
    for (std::size_t at = 0; at < padded.size(); ++at) {
      const char kept = padded.data()[at];
      for (unsigned value = 0; value < 256; ++value) {
        padded.data()[at] = static_cast<char>(value);
        const std::string fault = judge.fault(padded.data(), padded.size());
        if (fault.empty()) continue;
        CAPTURE(at);
        CAPTURE(value);
        CHECK(fault == "");
      }
      padded.data()[at] = kept;
    }
  }
  CHECK(judge.complete_count() > 10'000);  // Most changes inside a value or a name keep a head good.
}

TEST_CASE("kernels: agree on a value, a name and a target of every length around the blocks") {
  Judge judge;
  for (std::size_t length = 0; length < 200; ++length) {
    CAPTURE(length);
    const std::string fill(length, 'x');
    CHECK(judge.fault("GET /" + fill + " HTTP/1.1\r\nHost: a\r\n\r\n") == "");
    CHECK(judge.fault("GET / HTTP/1.1\r\nX" + fill + ": a\r\nB: c\r\n\r\n") == "");
    CHECK(judge.fault("GET / HTTP/1.1\r\nHost: " + fill + "\r\nB: c\r\n\r\n") == "");
    CHECK(judge.fault("GET / HTTP/1.1\r\nHost:" + std::string(length, ' ') + "\r\n\r\n") == "");
    CHECK(judge.fault("GET /?" + fill + "[" + fill + " HTTP/1.1\r\nHost: a\r\n\r\n") == "");
  }
  CHECK(judge.complete_count() == 1000);
}

TEST_CASE("kernels: agree on random edits") {
  Judge judge;
  test::Random random(20'260'801);
  const auto cases = test::head_cases();
  constexpr std::string_view salt =
      "\r\n: \t\0%?/[]\x7f\x80HTGE1.0aZ{"
      "*";
  std::string bytes;
  for (unsigned round = 0; round < 500'000; ++round) {
    bytes = cases[random.below(cases.size())].bytes;
    for (std::size_t edits = 1 + random.below(4); edits > 0; --edits) {
      const std::size_t at = random.below(bytes.size() + 1);
      const char byte =
          random.below(2) == 0 ? salt[random.below(salt.size())] : static_cast<char>(random.next());
      switch (random.below(5)) {
        case 0: bytes.insert(at, 1, byte); break;
        case 1:
          if (at < bytes.size()) bytes.erase(at, 1 + random.below(3));
          break;
        case 2:
          if (at < bytes.size()) bytes[at] = byte;
          break;
        case 3: bytes.insert(at, bytes.substr(random.below(bytes.size() + 1), random.below(80))); break;
        default: bytes.insert(at, random.below(130), byte); break;
      }
    }
    const std::string fault = judge.fault(bytes);
    if (fault.empty()) continue;
    CAPTURE(round);
    CAPTURE(bytes);
    REQUIRE(fault == "");
  }
  CHECK(judge.complete_count() > 10'000);
}

TEST_CASE("kernels: more fields than the table holds are left to the strict path") {
  for (const Isa isa : test::usable_isas()) {
    test::Padded padded("GET / HTTP/1.1\r\nA: b\r\nC: d\r\nE: f\r\n\r\n");
    test::HeadStore exact(3);
    test::HeadStore small(2);
    CHECK(kernel_for(isa)(padded.data(), padded.size(), exact.head) == Scan::complete);
    CHECK(exact.head.field_count == 3);
    CHECK(kernel_for(isa)(padded.data(), padded.size(), small.head) == Scan::unsure);
  }
}

TEST_CASE("kernels: nothing behind what 16 bits address is completed") {
  for (const Isa isa : test::usable_isas()) {
    test::HeadStore store;
    for (const std::size_t size : {std::size_t{65'535}, std::size_t{65'536}}) {
      std::string bytes = "GET / HTTP/1.1\r\nA: ";
      bytes.append(size - bytes.size() - 4, 'v');
      bytes += "\r\n\r\n";
      test::Padded padded(bytes);
      const Scan scan = kernel_for(isa)(padded.data(), padded.size(), store.head);
      CHECK((scan == Scan::complete) == (size == 65'535));
    }
  }
}
