// doctor.hpp: what the engine needs of the machine: found or not, what its lack costs, what mends it.
//
//   the machine -> examine() -> Finding -> report_of() -> text
//
// The judgements are pure functions of numbers, so that they are tested without such a machine.
#pragma once

#include <millrace/server.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::config {

enum class Grade : std::uint8_t {
  good,
  limited,  ///< Serves, but something costs or is missing.
  fatal,    ///< Does not serve.
};

struct Finding {
  std::string name;
  std::string found;
  Grade grade = Grade::good;
  std::string cost = {};  ///< Of what is not good.
  std::string mend = {};
};

/// options  say which backend is wanted, and how many connections: each takes a descriptor.
std::vector<Finding> examine(const ServerOptions& options);

/// One paragraph a finding, and a last line; `serves` is false where one was fatal.
std::string report_of(const std::vector<Finding>& findings, bool& serves);

// Judgements. Limits as getrlimit(2) gives them; unlimited is the largest number.
/// lack  of io_uring: fatal where it was asked for by name, limited where epoll takes its place.
Finding judge_kernel(int major, int minor, Grade lack);
/// name, reason  as serve::BackendAnswer has them.
Finding judge_backend(const std::string& name, const std::string& reason);
Finding judge_descriptors(std::uint64_t soft, std::uint64_t hard, std::uint32_t connections_max);
Finding judge_locked_memory(std::uint64_t bytes);
Finding judge_backlog(std::int64_t somaxconn);
/// version  of OpenSSL; empty: built without it.
Finding judge_tls(const std::string& version, bool kernel, bool wanted);
Finding judge_seccomp(int mode);
/// quota_percent  of the control group, 100 for a whole CPU; 0: none.
Finding judge_cpus(unsigned allowed, unsigned online, std::uint64_t quota_percent);
/// The CPU quota in a line of cgroup's cpu.max ("200000 100000"), in percent; 0: none.
std::uint64_t quota_of(std::string_view line);

}  // namespace millrace::config
