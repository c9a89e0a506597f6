#include "engine/config/bench.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/config/bench_plan.hpp"
#include "engine/config/signals.hpp"
#include "engine/ext/bench/connect.hpp"
#include "engine/ext/bench/report.hpp"
#include "engine/ext/bench/worker.hpp"
#include "engine/serve/backends.hpp"

namespace millrace::config {
namespace {

constexpr int exit_wrong = 1;
constexpr int exit_usage = 2;
constexpr std::uint64_t spare_descriptors = 64;  ///< Of rings, files and the process's own.
constexpr std::int64_t terminal_progress_ms = 1000;
constexpr std::int64_t log_progress_ms = 5000;  ///< Where standard error is no terminal.

int fail(int status, const std::string& sentence) {
  std::fputs((sentence + "\n").c_str(), stderr);
  return status;
}

/// Raises the limit of descriptors as far as allowed; what is allowed.
std::uint64_t raise_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

/// The threads of a run. Signals must be blocked before, so that none of them takes one.
class Crew {
 public:
  Crew(const bench::Plan& plan, const bench::Endpoint& endpoint, const bench::SecureContext* secure,
       const ServerOptions& options)
      : backends_(options, plan.threads), problems_(plan.threads) {
    for (std::uint32_t index = 0; index != plan.threads; ++index)
      workers_.emplace_back(plan, endpoint, index, secure);
    running_.store(plan.threads, std::memory_order_relaxed);
    for (std::uint32_t index = 0; index != plan.threads; ++index)
      threads_.emplace_back([this, index] { work(index); });
  }

  bool running() const noexcept { return running_.load(std::memory_order_acquire) != 0; }
  void stop() noexcept {
    for (bench::Worker& worker : workers_) worker.stop();
  }
  void join() {
    for (std::thread& thread : threads_) thread.join();
  }
  std::string progress(double seconds) const {
    std::uint64_t answered = 0;
    std::uint64_t faults = 0;
    for (const bench::Worker& worker : workers_) {
      answered += worker.answered();
      faults += worker.faults();
    }
    return fmt::format("{:.0f} s: {} answered, {} wrong", seconds, answered, faults);
  }

  /// After join().
  std::string problem() const {
    const auto found =
        std::find_if(problems_.begin(), problems_.end(), [](const auto& p) { return !p.empty(); });
    return found == problems_.end() ? std::string() : *found;
  }
  bench::Tally tally() const {
    bench::Tally sum;
    for (const bench::Worker& worker : workers_) sum.add(worker.tally());
    return sum;
  }

 private:
  void work(std::uint32_t index) {
    if (const std::unique_ptr<io::IoBackend> backend = backends_.open(problems_[index]))
      workers_[index].run(*backend);
    running_.fetch_sub(1, std::memory_order_release);
  }

  serve::Backends backends_;
  std::vector<std::string> problems_;
  std::deque<bench::Worker> workers_;  // A deque, because a worker does not move.
  std::vector<std::thread> threads_;
  std::atomic<std::uint32_t> running_{0};
};

/// Waits for the crew and tells how far it is; true where a signal ended it.
bool watch(Crew& crew, Signals& signals) {
  constexpr std::int64_t look_ms = 20;
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  const std::int64_t every_ms = terminal ? terminal_progress_ms : log_progress_ms;
  bool interrupted = false;
  for (std::int64_t waited_ms = look_ms; crew.running(); waited_ms += look_ms) {
    const int signal = signals.wait(look_ms);
    if (signal == SIGINT || signal == SIGTERM || signal == SIGQUIT) {
      interrupted = true;
      crew.stop();
    }
    if (waited_ms % every_ms != 0) continue;
    const std::string line = crew.progress(static_cast<double>(waited_ms) / 1000);
    std::fputs(fmt::format(fmt::runtime(terminal ? "\r{}\033[K" : "{}\n"), line).c_str(), stderr);
  }
  if (terminal) std::fputs("\r\033[K", stderr);
  return interrupted;
}

bool write_file(const std::string& path, const std::string& text) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "wb"), &std::fclose);
  return file != nullptr && std::fwrite(text.data(), 1, text.size(), file.get()) == text.size() &&
         std::fflush(file.get()) == 0;
}

int tell(const BenchFlags& flags, const bench::Plan& plan, const bench::Outcome& outcome) {
  std::fputs(bench::table_of(plan, outcome).c_str(), stdout);
  std::fflush(stdout);
  std::string wrong = bench::faults_of(outcome.tally);
  if (outcome.tally.answered == 0 && wrong.empty()) wrong = "wrong: nothing was answered\n";
  std::fputs(wrong.c_str(), stderr);
  if (flags.json && !write_file(*flags.json, bench::json_of(plan, outcome)))
    return fail(exit_wrong, fmt::format("cannot write {}: {}", *flags.json, std::strerror(errno)));
  return wrong.empty() ? 0 : exit_wrong;
}

}  // namespace

int run_bench(const BenchFlags& flags) {
  bench::Plan plan;
  ServerOptions options;
  if (flags.backend) options.backend = *flags.backend;
  if (options.backend != "auto" && options.backend != "uring" && options.backend != "epoll")
    return fail(exit_usage, fmt::format("--backend `{}`: auto, uring or epoll is wanted", options.backend));
  if (const BenchFault fault = make_plan(flags, plan); !fault.sentence.empty())
    return fail(fault.of_machine ? exit_wrong : exit_usage, fault.sentence);
  if (const std::uint64_t allowed = raise_descriptors(); allowed < plan.connections + spare_descriptors)
    return fail(exit_wrong,
                fmt::format("{} connections need more descriptors than the {} allowed: ulimit -n {}",
                            plan.connections, allowed, plan.connections + spare_descriptors));
  std::unique_ptr<bench::SecureContext> secure;
  if (plan.tls) {
    std::string problem;
    secure = bench::SecureContext::make(*plan.tls, problem);
    if (secure == nullptr) return fail(exit_usage, problem);
  }
  int os_errno = 0;
  const bench::Endpoint* endpoint = bench::first_that_answers(plan.endpoints, plan.patience, os_errno);
  if (endpoint == nullptr)
    return fail(exit_wrong, fmt::format("cannot connect to {}: {}", plan.server, std::strerror(os_errno)));

  Signals signals;
  Crew crew(plan, *endpoint, secure.get(), options);
  bench::Outcome outcome;
  outcome.interrupted = watch(crew, signals);
  crew.join();
  if (const std::string problem = crew.problem(); !problem.empty()) return fail(exit_wrong, problem);
  outcome.tally = crew.tally();
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  outcome.user_seconds = seconds_of(usage.ru_utime);
  outcome.system_seconds = seconds_of(usage.ru_stime);
  return tell(flags, plan, outcome);
}

}  // namespace millrace::config
