// doctor.cpp: asks the machine; doctor_judge.cpp judges.
#include "engine/config/doctor.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "engine/config/value.hpp"
#include "engine/http/head_parser.hpp"
#include "engine/io/kernel_tls.hpp"
#include "engine/io/uring/features.hpp"
#include "engine/io/uring/probe.hpp"
#include "engine/serve/backends.hpp"
#include "engine/serve/secure.hpp"

namespace millrace::config {
namespace {

std::string first_line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

rlimit limit_of(int resource) {
  rlimit limit = {};
  ::getrlimit(static_cast<__rlimit_resource>(resource), &limit);
  return limit;
}

/// The quota of the control group this process is in (version 2), or of the one a container shows as root.
std::uint64_t cpu_quota() {
  std::string group = first_line_of("/proc/self/cgroup");
  group = group.starts_with("0::") ? group.substr(3) : std::string();
  const std::string own = first_line_of("/sys/fs/cgroup" + group + "/cpu.max");
  return quota_of(own.empty() ? first_line_of("/sys/fs/cgroup/cpu.max") : own);
}

unsigned cpus_allowed() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<unsigned>(CPU_COUNT(&set));
}

Finding judge_feature(const io::Feature& feature, Grade lack) {
  Finding finding{.name = feature.name, .found = feature.available ? "works" : "does not work"};
  if (feature.available) return finding;
  finding.grade = feature.required ? lack : Grade::limited;
  finding.cost = feature.cost_if_missing;
  finding.mend = feature.mend;
  return finding;
}

Finding judge_isa() {
  const Result<http::Isa> isa = http::choose_isa();
  if (isa) return {.name = "tokenizer", .found = http::name_of(isa.value())};
  return {.name = "tokenizer",
          .found = "MILLRACE_ISA asks for what this processor lacks",
          .grade = Grade::fatal,
          .cost = "the engine does not start",
          .mend = "unset MILLRACE_ISA"};
}

}  // namespace

std::vector<Finding> examine(const ServerOptions& options) {
  const io::Facts facts = io::facts_now(0, 0);
  const Grade lack = options.backend == "uring" ? Grade::fatal : Grade::limited;
  const serve::BackendAnswer answer = serve::try_backend(options);
  std::vector<Finding> findings = {judge_kernel(facts.kernel_major, facts.kernel_minor, lack),
                                   judge_backend(answer.name, answer.reason)};
  // Where there is no io_uring at all, the backend's line has said so.
  if (const std::vector<io::Feature> features = io::probe_features(); features.front().available) {
    for (const io::Feature& feature : features) findings.push_back(judge_feature(feature, lack));
  }
  const rlimit descriptors = limit_of(RLIMIT_NOFILE);
  const auto somaxconn = read_count(first_line_of("/proc/sys/net/core/somaxconn"));
  findings.push_back(judge_seccomp(facts.seccomp_mode));
  findings.push_back(judge_locked_memory(limit_of(RLIMIT_MEMLOCK).rlim_cur));
  const std::uint32_t tables =
      options.own_descriptors ? (options.cores != 0 ? options.cores : cpus_allowed()) : 1;
  findings.push_back(
      judge_descriptors(descriptors.rlim_cur, descriptors.rlim_max, options.connections / tables));
  findings.push_back(judge_backlog(somaxconn ? static_cast<std::int64_t>(*somaxconn) : -1));
  findings.push_back(
      judge_cpus(cpus_allowed(), static_cast<unsigned>(::sysconf(_SC_NPROCESSORS_ONLN)), cpu_quota()));
  findings.push_back(judge_isa());
  findings.push_back(
      judge_tls(serve::secure_version(), io::kernel_tls() != nullptr, !options.tls_listen.empty()));
  return findings;
}

}  // namespace millrace::config
