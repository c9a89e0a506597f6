#include <fmt/format.h>

#include <algorithm>

#include "engine/config/doctor.hpp"
#include "engine/config/value.hpp"

namespace millrace::config {
namespace {

constexpr int kernel_major_min = 6;
constexpr int kernel_minor_min = 1;
/// Listeners, rings and the files being served.
constexpr std::uint64_t descriptors_spare = 1000;
constexpr std::uint64_t locked_memory_enough = 8u << 20;
/// What the engine asks for in listen(2).
constexpr std::int64_t backlog_wanted = 4096;

std::string show_limit(std::uint64_t limit) {
  return limit == ~std::uint64_t{0} ? "unlimited" : fmt::format("{}", limit);
}

}  // namespace

Finding judge_kernel(int major, int minor, Grade lack) {
  Finding finding{.name = "kernel", .found = fmt::format("Linux {}.{}", major, minor)};
  if (major > kernel_major_min || (major == kernel_major_min && minor >= kernel_minor_min)) return finding;
  finding.grade = lack;
  finding.cost =
      fmt::format("io_uring is used on Linux {}.{} or later only", kernel_major_min, kernel_minor_min);
  finding.mend = "apt install linux-image-amd64, or the newest kernel of your distribution; then reboot";
  return finding;
}

Finding judge_backend(const std::string& name, const std::string& reason) {
  Finding finding{.name = "backend", .found = name.empty() ? "none" : name};
  if (reason.empty()) return finding;
  finding.grade = name.empty() ? Grade::fatal : Grade::limited;
  finding.cost =
      name.empty() ? "the engine does not start" : "about 5 % more CPU time a request than on io_uring";
  finding.mend = reason;
  return finding;
}

Finding judge_descriptors(std::uint64_t soft, std::uint64_t hard, std::uint32_t connections_max) {
  Finding finding{.name = "descriptors (nofile)",
                  .found = fmt::format("{} (hard limit {})", show_limit(soft), show_limit(hard))};
  // The soft limit is raised to the hard one at the start.
  const std::uint64_t wanted = connections_max + descriptors_spare;
  if (hard >= wanted) return finding;
  finding.grade = Grade::limited;
  finding.cost = fmt::format("[limits] connections is {}, but accepting pauses at about {}", connections_max,
                             hard > descriptors_spare ? hard - descriptors_spare : 0);
  finding.mend = fmt::format("ulimit -n {0} as root, or LimitNOFILE={0} in the service", wanted);
  return finding;
}

Finding judge_locked_memory(std::uint64_t bytes) {
  Finding finding{.name = "locked memory (memlock)",
                  .found = bytes == ~std::uint64_t{0} ? "unlimited" : show_size(bytes)};
  if (bytes >= locked_memory_enough) return finding;
  finding.grade = Grade::limited;
  finding.cost = "large [rings] of several cores may not fit, and then io_uring cannot be used";
  finding.mend = "ulimit -l unlimited as root, or LimitMEMLOCK=infinity in the service";
  return finding;
}

Finding judge_backlog(std::int64_t somaxconn) {
  Finding finding{.name = "accept queue (somaxconn)", .found = fmt::format("{}", somaxconn)};
  if (somaxconn >= backlog_wanted) return finding;
  if (somaxconn < 0) finding.found = "unknown";
  finding.grade = Grade::limited;
  finding.cost = "a burst of new connections is refused, or waits a second for its next try";
  finding.mend = fmt::format("sysctl -w net.core.somaxconn={}", backlog_wanted);
  return finding;
}

Finding judge_tls(const std::string& version, bool kernel, bool wanted) {
  Finding finding{.name = "TLS",
                  .found = version + (kernel ? "; large files are sealed by the kernel"
                                             : "; the kernel has none (where it is a module: modprobe tls)")};
  if (!version.empty()) return finding;
  finding.found = "this build has no OpenSSL";
  if (!wanted) return finding;
  finding.grade = Grade::fatal;
  finding.cost = "the server does not start: [tls] listen is set";
  finding.mend = "install libssl-dev and build again with -Dtls=enabled";
  return finding;
}

Finding judge_seccomp(int mode) {
  Finding finding{.name = "seccomp", .found = "none"};
  if (mode < 0) finding.found = "unknown";
  if (mode == 1) finding.found = "strict";
  if (mode == 2) finding.found = "a filter, as containers have; what it forbids shows above";
  return finding;
}

Finding judge_cpus(unsigned allowed, unsigned online, std::uint64_t quota_percent) {
  Finding finding{.name = "processors",
                  .found = fmt::format("{} of {} in the affinity mask", allowed, online)};
  if (quota_percent == 0 || quota_percent >= 100ull * allowed) return finding;
  finding.found +=
      fmt::format(", and a quota of {}.{:02} processors", quota_percent / 100, quota_percent % 100);
  finding.grade = Grade::limited;
  finding.cost =
      "more threads than the quota feeds: each is stopped for parts of a period, and requests wait";
  finding.mend = fmt::format("--cores {}, or a cpuset in place of the quota",
                             std::max<std::uint64_t>(1, quota_percent / 100));
  return finding;
}

std::uint64_t quota_of(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == line.npos) return 0;
  const auto quota = read_count(line.substr(0, space));
  const auto period = read_count(line.substr(space + 1));
  return quota && period && *period != 0 ? *quota * 100 / *period : 0;
}

std::string report_of(const std::vector<Finding>& findings, bool& serves) {
  std::string text;
  std::size_t limited = 0;
  std::size_t fatal = 0;
  for (const Finding& finding : findings) {
    const char* mark = finding.grade == Grade::good      ? "ok   "
                       : finding.grade == Grade::limited ? "note "
                                                         : "FAIL ";
    text += fmt::format("{} {:<52} {}\n", mark, finding.name, finding.found);
    if (finding.grade == Grade::good) continue;
    text += fmt::format("      costs: {}\n      mend:  {}\n", finding.cost, finding.mend);
    (finding.grade == Grade::limited ? limited : fatal) += 1;
  }
  serves = fatal == 0;
  return text + fmt::format("\n{}: {} checks, {} with a note, {} failed\n",
                            serves ? "Millrace can serve here" : "Millrace cannot serve here",
                            findings.size(), limited, fatal);
}

}  // namespace millrace::config
