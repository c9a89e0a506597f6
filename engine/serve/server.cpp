// server.cpp: the composition root: it alone names the concrete backend and the protocol. A thread a
// core; each makes its own ring, because a ring belongs to the thread that made it.
#include <millrace/server.hpp>

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "engine/base/assert.hpp"
#include "engine/io/uring/probe.hpp"
#include "engine/io/uring/uring_backend.hpp"
#include "engine/net/listen_socket.hpp"
#include "engine/serve/app_state.hpp"
#include "engine/serve/core.hpp"
#include "engine/serve/core_options.hpp"
#include "engine/serve/dispatch.hpp"

namespace mr {
namespace {

constexpr int listen_backlog = 4096;

std::vector<int> allowed_cpus() {
  std::vector<int> cpus;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(static_cast<std::size_t>(cpu), &set)) cpus.push_back(cpu);
    }
  }
  if (cpus.empty()) cpus.push_back(-1);
  return cpus;
}

void pin_this_thread(int cpu) noexcept {
  if (cpu < 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  ::pthread_setaffinity_np(::pthread_self(), sizeof set, &set);
}

}  // namespace

struct Server::State {
  /// One thread and its core; the thread makes the core, `mutex` guards what others see of it.
  struct Worker {
    std::thread thread;
    std::vector<io::Descriptor> listeners;
    int cpu = -1;
    serve::Core* core = nullptr;  ///< Valid between ready and the join.
    std::string problem;
    bool ready = false;
  };

  State(App& served, ServerOptions chosen) : app(served), options(std::move(chosen)) {}

  std::string open_listeners(std::size_t cores);
  std::string start_workers();
  void work(Worker& worker) noexcept;
  void drain(std::uint32_t grace_ms) noexcept;
  void stop(std::uint32_t grace_ms);
  ServerStats totals() const noexcept;

  App& app;
  ServerOptions options;
  std::unique_ptr<serve::Dispatch> dispatch;
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<std::string> addresses;
  std::vector<std::string> socket_files;  ///< To remove at the end.
  std::size_t core_count = 0;
  std::atomic<std::size_t> running{0};    ///< Threads whose core has not ended.
  bool finish = false;                    ///< Threads may end: nobody reads their counters any more.
  mutable std::mutex mutex;
  std::condition_variable changed;
};

Server::Server(App& app, ServerOptions options)
    : state_(std::make_unique<State>(app, std::move(options))) {}

Server::~Server() { stop(0); }

std::string Server::start() {
  State& state = *state_;
  MR_ASSERT(state.workers.empty());
  const std::vector<int> cpus = allowed_cpus();
  state.core_count = state.options.cores != 0 ? state.options.cores : cpus.size();

  std::string problem;
  state.dispatch = serve::Dispatch::build(serve::state_of(state.app), problem);
  if (!problem.empty()) return problem;
  for (std::size_t i = 0; i < state.core_count; ++i) {
    auto worker = std::make_unique<State::Worker>();
    if (state.options.pin) worker->cpu = cpus[i % cpus.size()];
    state.workers.push_back(std::move(worker));
  }
  problem = state.open_listeners(state.core_count);
  if (problem.empty()) {
    problem = state.start_workers();
  } else {
    for (auto& worker : state.workers) {
      for (io::Descriptor listener : worker->listeners) ::close(listener);
    }
    state.workers.clear();
  }
  if (!problem.empty()) state.stop(0);
  return problem;
}

std::string Server::State::open_listeners(std::size_t cores) {
  addresses.clear();
  for (const std::string& text : options.listen) {
    net::ListenAddress address;
    std::string wrong = net::read_listen_address(text, address);
    if (!wrong.empty()) return "cannot listen on " + wrong;
    if (const Error error = net::check_free(address); error.failed()) {
      return net::describe_listen_error(address, error);
    }
    io::Descriptor shared = io::no_descriptor;
    for (std::size_t i = 0; i < cores; ++i) {
      // A unix socket cannot be bound twice: the cores accept from one.
      if (shared != io::no_descriptor) {
        workers[i]->listeners.push_back(::dup(shared));
        continue;
      }
      const Result<io::Descriptor> opened = net::open_listen_socket(address, cores > 1, listen_backlog);
      if (!opened) return net::describe_listen_error(address, opened.error());
      workers[i]->listeners.push_back(opened.value());
      if (address.is_unix()) shared = opened.value();
    }
    addresses.push_back(address.text());
    if (address.is_unix() && !text.starts_with("unix:@")) socket_files.push_back(text.substr(5));
  }
  return {};
}

std::string Server::State::start_workers() {
  finish = false;
  running = workers.size();
  for (auto& worker : workers) {
    worker->thread = std::thread([this, &worker = *worker] { work(worker); });
  }
  std::string problem;
  std::unique_lock lock(mutex);
  for (auto& worker : workers) {
    changed.wait(lock, [&] { return worker->ready; });
    if (problem.empty()) problem = worker->problem;
  }
  return problem;
}

// A core's whole life, on its own thread.
void Server::State::work(Worker& worker) noexcept {
  pin_this_thread(worker.cpu);
  std::string problem;
  io::SetupProblem why;
  Result<std::unique_ptr<io::IoBackend>> made = io::make_uring(serve::backend_options(options), &why);
  std::unique_ptr<io::IoBackend> backend;
  if (made) {
    backend = std::move(made).value();
  } else {
    problem = io::describe(why);
  }
  std::unique_ptr<serve::Core> core;
  if (backend != nullptr) {
    core = std::make_unique<serve::Core>(serve::core_options(options, core_count, problem), *backend, *dispatch);
  }
  if (core != nullptr && problem.empty()) {
    for (io::Descriptor listener : worker.listeners) core->listen(listener);
  } else {
    for (io::Descriptor listener : worker.listeners) ::close(listener);
    core.reset();
  }
  {
    const std::lock_guard lock(mutex);
    worker.core = core.get();
    worker.problem = problem;
    worker.ready = true;
  }
  changed.notify_all();
  if (core == nullptr) {
    running.fetch_sub(1, std::memory_order_release);
    return;
  }
  core->run();
  running.fetch_sub(1, std::memory_order_release);
  std::unique_lock lock(mutex);
  changed.wait(lock, [this] { return finish; });
  worker.core = nullptr;
}

void Server::State::drain(std::uint32_t grace_ms) noexcept {
  const std::lock_guard lock(mutex);
  for (auto& worker : workers) {
    if (worker->core != nullptr) worker->core->request_stop(grace_ms * ns_per_ms);
  }
}

void Server::State::stop(std::uint32_t grace_ms) {
  drain(grace_ms);
  {
    const std::lock_guard lock(mutex);
    finish = true;
  }
  changed.notify_all();
  for (auto& worker : workers) {
    if (worker->thread.joinable()) worker->thread.join();
  }
  workers.clear();
  for (const std::string& file : socket_files) ::unlink(file.c_str());
  socket_files.clear();
}

void Server::stop(std::uint32_t grace_ms) { state_->stop(grace_ms); }

void Server::drain(std::uint32_t grace_ms) noexcept { state_->drain(grace_ms); }

bool Server::drained() const noexcept { return state_->running.load(std::memory_order_acquire) == 0; }

std::vector<std::string> Server::addresses() const { return state_->addresses; }

std::uint32_t Server::cores() const noexcept { return static_cast<std::uint32_t>(state_->core_count); }

std::string Server::backend() const { return "io_uring"; }

ServerStats Server::stats() const noexcept {
  const State& state = *state_;
  const std::lock_guard lock(state.mutex);
  ServerStats total;
  for (const auto& worker : state.workers) {
    if (worker->core == nullptr) continue;
    const serve::CoreCounters& counters = worker->core->counters();
    const auto read = [](const serve::CoreCounters::Count& count) { return count.load(std::memory_order_relaxed); };
    total.connections_accepted += read(counters.accepted);
    total.connections_open += read(counters.connections_now);
    total.requests += read(counters.requests);
    total.refused += read(counters.refused);
    total.accept_errors += read(counters.accept_errors);
    total.buffer_starvations += read(counters.starvations);
    total.queue_overflows += read(counters.overflows);
    total.stale_completions += read(counters.stale_completions);
    total.timeouts += read(counters.timeouts);
    total.resets += read(counters.closed[static_cast<std::size_t>(net::CloseReason::reset)]);
    total.exchanges_cancelled += read(counters.cancelled);
    total.memory_bytes += read(counters.memory_bytes_now);
  }
  return total;
}

}  // namespace mr
