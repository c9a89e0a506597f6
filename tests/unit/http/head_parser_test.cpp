// Goal: the parser gives the strict path's verdict whatever kernel it has, and judges partial heads
// only when asked to.
#include "engine/http/head_parser.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/unit/http/head_cases.hpp"
#include "tests/unit/http/support.hpp"

using namespace millrace::http;
using millrace::Errc;
using millrace::Error;

TEST_CASE("HeadParser: every case through every kernel") {
  for (const Isa isa : test::usable_isas()) {
    const HeadParser parser(isa, HeadLimits{});
    CHECK(parser.isa() == isa);
    for (const test::HeadCase& c : test::head_cases()) {
      CAPTURE(std::string(name_of(isa)));
      CAPTURE(c.name);
      test::HeadStore store;
      for (std::size_t cut = 0; cut <= c.bytes.size(); ++cut) {
        test::HeadStore strict;
        test::Padded padded(c.bytes.substr(0, cut));
        const Error want = parse_head_strict(padded.data(), padded.size(), HeadLimits{}, strict.head);
        CHECK(parser.parse(padded.data(), padded.size(), true, store.head) == want);
        if (!want.failed()) CHECK(same_head(store.head, strict.head));
        const Error lazy = parser.parse(padded.data(), padded.size(), false, store.head);
        CHECK((lazy == want || lazy.code == Errc::need_more));
        if (want.code == Errc::ok) CHECK(lazy.code == Errc::ok);
      }
    }
  }
}

TEST_CASE("HeadParser: limits") {
  for (const Isa isa : test::usable_isas()) {
    const HeadParser parser(isa, HeadLimits{.bytes_max = 40, .fields_max = 2});
    test::HeadStore store;
    const auto status = [&](std::string_view bytes) {
      test::Padded padded(bytes);
      return parser.parse(padded.data(), padded.size(), false, store.head).status;
    };
    CHECK(status("GET / HTTP/1.1\r\nA: 34567890123456789\r\n\r\n") == 0);
    CHECK(status("GET / HTTP/1.1\r\nA: 345678901234567890\r\n\r\n") == 431);
    CHECK(status("GET / HTTP/1.1\r\nA:\r\nB:\r\nC:\r\n\r\n") == 431);
    CHECK(status("GET / HTTP/1.1\r\nA:\r\nB:\r\n\r\n") == 0);
    CHECK(status("GET /6789012345678901234567890123456789012345") == 414);
    CHECK(status("GET / HTTP/1.1\r\nA: 345678901234567890123") == 431);  // Without being asked.
  }
}

TEST_CASE("HeadParser: a head that cannot complete is refused only when partial ones are judged") {
  const HeadParser parser(Isa::scalar, HeadLimits{});
  test::HeadStore store;
  test::Padded padded("GET / HTTP/1.1\r\nHost: a\r\n b");
  CHECK(parser.parse(padded.data(), padded.size(), true, store.head).code == Errc::obsolete_fold);
  test::Padded good("GET / HTTP/1.1\r\nHost: a\r\nb");
  CHECK(parser.parse(good.data(), good.size(), true, store.head).code == Errc::need_more);
  CHECK(parser.parse(good.data(), good.size(), false, store.head).code == Errc::need_more);
}

TEST_CASE("choose_isa: the best by itself, or the one that is named") {
  unsetenv("MILLRACE_ISA");
  const auto best = choose_isa();
  REQUIRE(best.ok());
  CHECK(best.error().code == Errc::ok);
  for (const Isa isa : test::usable_isas()) {
    setenv("MILLRACE_ISA", name_of(isa), 1);
    auto forced = choose_isa();
    REQUIRE(forced.ok());
    CHECK(*forced == isa);
  }
  CHECK(test::usable_isas().back() == const_cast<millrace::Result<Isa>&>(best).value());
  setenv("MILLRACE_ISA", "mmx", 1);
  CHECK(choose_isa().error().code == Errc::unsupported);
  unsetenv("MILLRACE_ISA");
}

TEST_CASE("Method: names both ways, case-sensitive") {
  for (unsigned i = 0; i + 1 < method_count; ++i) {
    const auto method = static_cast<Method>(i);
    CHECK(method_from(name_of(method)) == method);
  }
  CHECK(method_from("get") == Method::other);
  CHECK(method_from("") == Method::other);
  CHECK(name_of(Method::other) == "");
  CHECK(name_of(Method::delete_) == "DELETE");
}

TEST_CASE("same_head: sees a difference in any span") {
  test::Padded padded("GET /abc HTTP/1.1\r\nA: b\r\nC: d\r\n\r\n");
  test::HeadStore a;
  test::HeadStore b;
  REQUIRE_FALSE(parse_head_strict(padded.data(), padded.size(), HeadLimits{}, a.head).failed());
  REQUIRE_FALSE(parse_head_strict(padded.data(), padded.size(), HeadLimits{}, b.head).failed());
  CHECK(same_head(a.head, b.head));
  ++b.head.target_size;
  CHECK_FALSE(same_head(a.head, b.head));
  --b.head.target_size;
  ++b.head.fields[1].value_size;
  CHECK_FALSE(same_head(a.head, b.head));
  --b.head.fields[1].value_size;
  --b.head.field_count;
  CHECK_FALSE(same_head(a.head, b.head));
}

TEST_CASE("require_agreement: returns where both agree, aborts where they do not") {
  test::Padded padded("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  test::HeadStore store;
  REQUIRE(kernel_for(Isa::scalar)(padded.data(), padded.size(), store.head) == Scan::complete);
  require_agreement(padded.data(), padded.size(), HeadLimits{}, store.head);

  const auto aborts = [&padded, &store](std::size_t size) {
    const pid_t child = fork();
    if (child == 0) {
      if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(2);
      signal(SIGABRT, SIG_DFL);  // The test framework's handler would report the child's end as its own.
      require_agreement(padded.data(), size, HeadLimits{}, store.head);
      _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
  };
  CHECK_FALSE(aborts(padded.size()));
  CHECK(aborts(padded.size() - 1));  // The strict path wants more.
  ++store.head.fields[0].value_at;
  CHECK(aborts(padded.size()));
}
