#include "tests/sim/sim_run.hpp"

#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "engine/base/assert.hpp"
#include "engine/ext/compress/encoder.hpp"
#include "engine/serve/secure.hpp"

namespace millrace::test {
namespace {

constexpr std::uint64_t traced_every = 500;
constexpr time_t cpu_seconds_max = 5;

/// What a child leaves behind, however it ends.
struct Report {
  std::uint64_t seed;
  char wrong[1024];
  Totals totals;
};

void allow_cpu_time() {
  itimerval time{};
  time.it_value.tv_sec = cpu_seconds_max;
  ::setitimer(ITIMER_VIRTUAL, &time, nullptr);  // Ends the process by SIGVTALRM.
}

std::string run_world(const WorldPlan& plan, Totals& totals) {
  // A world that failed is left as it is: its core is in the middle of its work.
  auto* scenario = new Scenario(plan);
  std::string wrong = scenario->run();
  if (!wrong.empty()) return wrong;
  totals.add(*scenario);
  delete scenario;
  return {};
}

std::string run_one(std::uint64_t seed, const Kept& kept, Totals& totals) {
  allow_cpu_time();
  const WorldPlan plan = draw_world(seed, kept);
  std::string wrong = run_world(plan, totals);
  if (!wrong.empty() || seed % traced_every != 0) return wrong;
  return trace_of(seed, kept) == trace_of(seed, kept) ? "" : "a second run gave another trace";
}

[[noreturn]] void be_child(Report& report, std::uint64_t first, std::uint64_t count, const Kept& kept) {
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    report.seed = seed;
    const std::string wrong = run_one(seed, kept, report.totals);
    if (wrong.empty()) continue;
    std::snprintf(report.wrong, sizeof report.wrong, "%s", wrong.c_str());
    std::_Exit(1);
  }
  std::exit(0);  // With what a sanitizer does at the end.
}

// Why a child ended that did not say: an assertion's message, or a signal.
std::string why(int status, int stderr_copy) {
  // The last line: before it handlers may have logged what they threw.
  char text[512];
  const off_t end = ::lseek(stderr_copy, 0, SEEK_END);
  const off_t begin = std::max<off_t>(0, end - static_cast<off_t>(sizeof text));
  const ssize_t size = ::pread(stderr_copy, text, sizeof text, begin);
  std::string said(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  while (said.ends_with('\n')) said.pop_back();
  said.erase(0, said.rfind('\n') + 1);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGVTALRM) return "a turn has no end";
  if (WIFSIGNALED(status) && WTERMSIG(status) != SIGABRT)
    return "ended by signal " + std::to_string(WTERMSIG(status)) + ": " + ::strsignal(WTERMSIG(status));
  return said.empty() ? "ended without a word" : said;
}

Kept::Bits without(Kept::Bits bits, unsigned bit) noexcept { return bits & ~(Kept::Bits{1} << bit); }

/// Tries smaller worlds of one seed, and keeps those that fail.
class Minimiser {
 public:
  Minimiser(std::uint64_t seed, std::string wrong) : seed_(seed) { smallest_.wrong = std::move(wrong); }

  Smallest run() {
    // All that one pass can leave out, until a pass leaves out nothing.
    while (pass()) {
    }
    return smallest_;
  }

 private:
  bool pass() {
    bool smaller = false;
    for (unsigned i = 0; i < Kept::clients_max; ++i) smaller |= drop(&Kept::clients, i);
    for (unsigned i = 0; i < Kept::mode_kinds; ++i) smaller |= drop(&Kept::modes, i);
    for (unsigned i = 0; i < Kept::fault_kinds; ++i) smaller |= drop(&Kept::faults, i);
    for (unsigned client = 0; client < Kept::clients_max; ++client) {
      if ((smallest_.kept.clients >> client & 1) == 0) {
        smallest_.kept.requests[client] = 0;
        continue;
      }
      for (unsigned i = Kept::requests_max; i-- > 0;) {
        if ((smallest_.kept.requests[client] >> i & 1) == 0) continue;
        Kept fewer = smallest_.kept;
        fewer.requests[client] = without(fewer.requests[client], i);
        smaller |= keep_if_failing(fewer);
      }
    }
    return smaller;
  }

  bool drop(Kept::Bits Kept::*part, unsigned bit) {
    if ((smallest_.kept.*part >> bit & 1) == 0) return false;
    Kept fewer = smallest_.kept;
    fewer.*part = without(fewer.*part, bit);
    return keep_if_failing(fewer);
  }

  bool keep_if_failing(const Kept& fewer) {
    ++smallest_.runs;
    const Outcome outcome = run_seeds(seed_, 1, fewer);
    if (outcome.wrong.empty()) return false;
    smallest_.kept = fewer;
    smallest_.wrong = outcome.wrong;
    return true;
  }

  std::uint64_t seed_;
  Smallest smallest_;
};

}  // namespace

std::string trace_of(std::uint64_t seed, const Kept& kept) {
  const WorldPlan plan = draw_world(seed, kept);
  auto* scenario = new Scenario(plan);
  std::string trace;
  scenario->write_trace(&trace);
  const std::string wrong = scenario->run();
  if (!wrong.empty()) return trace + wrong + "\n";
  delete scenario;
  return trace;
}

Outcome run_seeds(std::uint64_t first, std::uint64_t count, const Kept& kept) {
  std::fflush(nullptr);
  void* memory = ::mmap(nullptr, sizeof(Report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  MR_ASSERT(memory != MAP_FAILED);
  auto& report = *new (memory) Report{};
  const int stderr_copy = ::memfd_create("stderr", MFD_CLOEXEC);
  MR_ASSERT(stderr_copy >= 0);
  const pid_t child = ::fork();
  MR_ASSERT(child >= 0);
  if (child == 0) {
    ::dup2(stderr_copy, STDERR_FILENO);
    be_child(report, first, count, kept);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
  }
  Outcome outcome;
  outcome.seed = report.seed;
  outcome.totals = report.totals;
  if (status != 0) outcome.wrong = report.wrong[0] != '\0' ? report.wrong : why(status, stderr_copy);
  ::close(stderr_copy);
  ::munmap(memory, sizeof(Report));
  return outcome;
}

Smallest make_small(const Outcome& outcome) { return Minimiser(outcome.seed, outcome.wrong).run(); }

void report(const Outcome& outcome, const std::string& command) {
  std::printf("seed %llu: %s\n", static_cast<unsigned long long>(outcome.seed), outcome.wrong.c_str());
  std::fflush(stdout);
  const Smallest smallest = make_small(outcome);
  std::printf("made small in %u runs: %s\n%s", smallest.runs, smallest.wrong.c_str(),
              describe(draw_world(outcome.seed, smallest.kept)).c_str());
  std::printf("repeat it: %s --seed %llu --only %s\n", command.c_str(),
              static_cast<unsigned long long>(outcome.seed), smallest.kept.text().c_str());
}

void Totals::add(Scenario& scenario) {
  ++seeds;
  add_counts(met, scenario.met());
  add_counts(faults, scenario.faults());
}

const char* Totals::missing() const noexcept {
  const struct {
    std::uint64_t count;
    const char* what;
  } wanted[] = {{met.replies, "replies"},
                {met.timed_out, "timeouts"},
                {met.no_memory, "an exhausted pool"},
                {met.refused, "refused connections"},
                {met.drained, "drains"},
                {met.cut_by_grace, "a grace that ended"},
                {met.continued, "100 (Continue)"},
                {met.closed_by_server, "connections that the server closed"},
                {met.windows, "clients that wait for replies"},
                {met.pauses, "readers that pause"},
                {met.until_close, "a body that ends with its connection"},
                {met.forms, "forms in parts"},
                {met.coded + !coding::is_built_in(http::Coding::gzip), "compressed replies"},
                {met.kernel_seals + serve::secure_version().empty(), "connections that the kernel seals"},
                {met.sockets, "WebSockets"},
                {met.socket_messages, "messages of WebSockets"},
                {met.room_messages, "messages of a topic"},
                {met.pongs_sent, "pings of the server"},
                {met.sockets_told, "close frames"},
                {faults.short_receives, "short receives"},
                {faults.short_sends, "short sends"},
                {faults.split_writes, "split writes"},
                {faults.late_completions, "late completions"},
                {faults.no_buffers, "ENOBUFS"},
                {faults.real_exhaustions, "exhausted buffers"},
                {faults.multishot_ends, "ended multishots"},
                {faults.hangup_ends, "ended hangup watches"},
                {faults.accept_failures, "EMFILE"},
                {faults.late_cancels, "late cancellations"},
                {faults.partial_waits, "partial waits"},
                {faults.overflows, "completion queue overflows"},
                {faults.blocked_sends, "blocked sends"}};
  for (const auto& one : wanted) {
    if (one.count == 0) return one.what;
  }
  return nullptr;
}

void Totals::print() const {
  const auto say = [](const char* what, std::uint64_t count) {
    std::printf("  %-36s %llu\n", what, static_cast<unsigned long long>(count));
  };
  say("replies judged", met.replies);
  say("408", met.timed_out);
  say("503 for want of memory", met.no_memory);
  say("503 for want of connections", met.refused);
  say("100 (Continue)", met.continued);
  say("bodies that end with the connection", met.until_close);
  say("forms in parts", met.forms);
  say("compressed replies", met.coded);
  say("WebSockets", met.sockets);
  say("messages of theirs", met.socket_messages);
  say("messages of topics", met.room_messages);
  say("close frames", met.sockets_told);
  say("TLS handshakes", met.handshakes);
  say("of them sealed by the kernel", met.kernel_seals);
  say("drains", met.drained);
  say("replies cut by the end of the grace", met.cut_by_grace);
  say("short receives", faults.short_receives);
  say("short sends", faults.short_sends);
  say("blocked sends", faults.blocked_sends);
  say("late completions", faults.late_completions);
  say("late cancellations", faults.late_cancels);
  say("ENOBUFS, pretended", faults.no_buffers);
  say("ENOBUFS, real", faults.real_exhaustions);
  say("ended multishots", faults.multishot_ends);
  say("EMFILE", faults.accept_failures);
  say("completion queue overflows", faults.overflows);
}

}  // namespace millrace::test
