#include "engine/config/doctor.hpp"

#include <doctest/doctest.h>

using namespace millrace::config;

namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }
constexpr std::uint64_t unlimited = ~std::uint64_t{0};

}  // namespace

TEST_CASE("doctor: the kernel's floor is 6.1") {
  for (const Grade lack : {Grade::limited, Grade::fatal}) {
    CHECK(judge_kernel(5, 15, lack).grade == lack);
    CHECK(judge_kernel(6, 0, lack).grade == lack);
    CHECK(judge_kernel(6, 1, lack).grade == Grade::good);
    CHECK(judge_kernel(6, 18, lack).grade == Grade::good);
    CHECK(judge_kernel(7, 0, lack).grade == Grade::good);
    CHECK(has(judge_kernel(5, 15, lack).found, "5.15"));
  }
}

TEST_CASE("doctor: the backend: epoll is a note where nobody asked for it, none at all is fatal") {
  CHECK(judge_backend("io_uring", "").grade == Grade::good);
  CHECK(judge_backend("epoll", "").grade == Grade::good);
  const Finding fallback = judge_backend("epoll", "io_uring cannot be used: ...");
  CHECK(fallback.grade == Grade::limited);
  CHECK(fallback.found == "epoll");
  CHECK(has(fallback.mend, "io_uring cannot"));
  const Finding none = judge_backend("", "io_uring cannot be used: ...");
  CHECK(none.grade == Grade::fatal);
  CHECK(none.found == "none");
}

TEST_CASE("doctor: limits name the command that mends them") {
  CHECK(judge_descriptors(1024, 200'000, 100'000).grade == Grade::good);
  CHECK(judge_descriptors(unlimited, unlimited, 100'000).grade == Grade::good);
  const Finding few = judge_descriptors(1024, 20'000, 100'000);
  CHECK(few.grade == Grade::limited);
  CHECK(has(few.mend, "ulimit -n 101000"));
  CHECK(has(few.cost, "at about 19000"));
  CHECK(has(judge_descriptors(100, 100, 100'000).cost, "at about 0"));

  CHECK(judge_locked_memory(unlimited).found == "unlimited");
  CHECK(judge_locked_memory(8u << 20).grade == Grade::good);
  CHECK(judge_locked_memory(64u << 10).grade == Grade::limited);
  CHECK(has(judge_locked_memory(64u << 10).found, "64k"));

  CHECK(judge_backlog(4096).grade == Grade::good);
  CHECK(judge_backlog(128).grade == Grade::limited);
  CHECK(judge_backlog(-1).found == "unknown");
  CHECK(has(judge_backlog(128).mend, "sysctl -w net.core.somaxconn=4096"));
}

TEST_CASE("doctor: seccomp is told, not judged: what it forbids fails by itself") {
  for (const int mode : {-1, 0, 1, 2}) CHECK(judge_seccomp(mode).grade == Grade::good);
  CHECK(has(judge_seccomp(2).found, "filter"));
  CHECK(judge_seccomp(0).found == "none");
}

TEST_CASE("doctor: processors and the quota of the control group") {
  CHECK(quota_of("200000 100000") == 200);
  CHECK(quota_of("50000 100000") == 50);
  CHECK(quota_of("max 100000") == 0);
  CHECK(quota_of("1 0") == 0);
  CHECK(quota_of("") == 0);
  CHECK(judge_cpus(4, 8, 0).grade == Grade::good);
  CHECK(judge_cpus(4, 8, 400).grade == Grade::good);
  const Finding short_of = judge_cpus(4, 8, 150);
  CHECK(short_of.grade == Grade::limited);
  CHECK(has(short_of.found, "4 of 8"));
  CHECK(has(short_of.found, "1.50"));
  CHECK(has(short_of.mend, "--cores 1"));
  CHECK(has(judge_cpus(4, 8, 50).mend, "--cores 1"));
}

TEST_CASE(
    "doctor: the report serves unless something is fatal, and shows cost and mend of what is not good") {
  const Finding good{.name = "a", .found = "works"};
  const Finding limited{
      .name = "b", .found = "small", .grade = Grade::limited, .cost = "time", .mend = "more"};
  const Finding fatal{
      .name = "c", .found = "absent", .grade = Grade::fatal, .cost = "all", .mend = "buy one"};
  bool serves = false;
  std::string text = report_of({good, limited}, serves);
  CHECK(serves);
  CHECK(has(text, "costs: time"));
  CHECK(has(text, "mend:  more"));
  CHECK(has(text, "can serve here: 2 checks, 1 with a note, 0 failed"));
  text = report_of({good, limited, fatal}, serves);
  CHECK(!serves);
  CHECK(has(text, "FAIL  c"));
  CHECK(has(text, "cannot serve here: 3 checks, 1 with a note, 1 failed"));
}

TEST_CASE("doctor: examines this machine") {
  const std::vector<Finding> findings = examine({});
  CHECK(findings.size() >= 10);
  for (const Finding& finding : findings) {
    CAPTURE(finding.name);
    CHECK(!finding.name.empty());
    CHECK(!finding.found.empty());
    CHECK((finding.grade == Grade::good || (!finding.cost.empty() && !finding.mend.empty())));
  }
}

TEST_CASE("doctor: TLS is fatal only where it is wanted and was not built") {
  CHECK(judge_tls("OpenSSL 3", true, true).grade == Grade::good);
  CHECK(judge_tls("OpenSSL 3", true, false).found.find("OpenSSL 3; large files") == 0);
  CHECK(judge_tls("OpenSSL 3", false, true).found.find("modprobe tls") != std::string::npos);
  CHECK(judge_tls("", true, false).grade == Grade::good);
  CHECK(judge_tls("", true, true).grade == Grade::fatal);
}
