// server.cpp: the composition root: it puts the concrete parts together. A thread a core; each
// makes its own backend (backends.hpp).
#include <millrace/server.hpp>

#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <utility>

#include "engine/base/assert.hpp"
#include "engine/net/listen_socket.hpp"
#include "engine/serve/app_state.hpp"
#include "engine/serve/backends.hpp"
#include "engine/serve/core.hpp"
#include "engine/serve/core_options.hpp"
#include "engine/serve/https_redirect.hpp"
#include "engine/serve/hub.hpp"
#include "engine/serve/output.hpp"
#include "engine/serve/secure.hpp"
#include "engine/serve/server_check.hpp"
#include "engine/serve/site.hpp"
#include "engine/serve/stats.hpp"
#include "engine/serve/thread_setup.hpp"

namespace millrace {
namespace {

constexpr int listen_backlog = 4096;

}  // namespace

struct Server::State {
  /// One thread and its core; the thread makes the core, `mutex` guards what others see of it.
  struct Worker {
    State* server = nullptr;
    pthread_t thread{};
    bool started = false;
    std::vector<io::Descriptor> listeners;
    std::size_t plain_listeners = 0;  ///< Of these, before those of TLS.
    std::unique_ptr<net::TransportFactory> transports;
    io::Descriptor wake = io::no_descriptor;  ///< Where the core has a descriptor table of its own.
    int cpu = -1;
    std::size_t index = 0;
    serve::Core* core = nullptr;  ///< Valid between ready and the join.
    std::string problem;
    bool ready = false;
  };
  using Workers = std::vector<std::unique_ptr<Worker>>;

  State(Server& of, App& served, ServerOptions chosen) : owner(of), app(served), options(std::move(chosen)) {}

  Workers make_workers(const std::vector<int>& cpus) const;
  std::string load_certificates();
  std::string open_listeners(Workers& made, const std::vector<std::string>& wanted,
                             std::vector<std::string>& opened);
  std::string open_listener(Workers& made, net::ListenAddress& address);
  std::string start_threads(Workers& made);
  void let_go_of_listeners(Workers& made) noexcept;
  void work(Worker& worker) noexcept;
  void request_stop(const Workers& of, std::uint32_t grace_ms) noexcept;
  void drain(std::uint32_t grace_ms) noexcept;
  void end_threads(const Workers& of, std::uint32_t grace_ms) noexcept;
  void stop(std::uint32_t grace_ms);

  Server& owner;
  App& app;
  ServerOptions options;
  std::unique_ptr<serve::Site> site;
  std::unique_ptr<serve::Secure> secure;  ///< Null: plain TCP alone. Outlives the workers.
  std::unique_ptr<serve::Hub> hub;  ///< From start(): outlives the cores, and is not changed while they run.
  std::vector<serve::Output*> outputs;  ///< Of the application's middleware.
  std::vector<std::string> addresses;
  std::vector<std::string> tls_addresses;
  std::optional<serve::RedirectHandler> redirect;  ///< For plain listeners, where that was asked for.
  std::vector<std::string> socket_files;           ///< To remove at the end.
  std::size_t core_count = 0;
  /// Each core's, where it has a table of its own: this process's lets go of them once all have started.
  std::vector<std::vector<io::Descriptor>> separated;
  std::optional<serve::Backends> backends;  ///< Of the last start().
  std::atomic<std::size_t> running{0};      ///< Threads whose core has not ended.
  std::mutex lifecycle;                     ///< One start() or stop() at a time.
  mutable std::mutex mutex;
  std::condition_variable changed;
  Workers workers;      ///< None, or all of a server that runs. Under `mutex`.
  bool finish = false;  ///< Threads may end: nobody reads their counters any more.
};

Server::Server(App& app, ServerOptions options)
    : state_(std::make_unique<State>(*this, app, std::move(options))) {}

Server::~Server() { stop(0); }

std::string Server::start() {
  State& state = *state_;
  const std::lock_guard lock(state.lifecycle);
  MR_ASSERT(state.workers.empty());
  std::string problem = serve::check_options(state.options);
  if (!problem.empty()) return problem;
  state.site = serve::Site::build(serve::state_of(state.app), problem);
  if (!problem.empty()) return problem;
  const std::vector<int> cpus = serve::allowed_cpus();
  state.core_count = state.options.cores != 0 ? state.options.cores : cpus.size();
  problem = state.load_certificates();
  if (!problem.empty()) return problem;
  {
    const std::lock_guard publish(state.mutex);  // stats() may look at any time.
    state.outputs = serve::state_of(state.app).outputs();
  }
  for (serve::Output* output : state.outputs) {
    problem = output->open();
    if (!problem.empty()) return problem;
  }
  State::Workers made = state.make_workers(cpus);
  {
    const std::lock_guard publish(state.mutex);
    state.hub = std::make_unique<serve::Hub>(made.size());
  }
  problem = state.open_listeners(made, state.options.listen, state.addresses);
  for (auto& worker : made) worker->plain_listeners = worker->listeners.size();
  if (problem.empty()) problem = state.open_listeners(made, state.options.tls_listen, state.tls_addresses);
  const std::uint16_t https = serve::port_of(state.tls_addresses);
  if (state.options.tls_redirect && https != 0) state.redirect.emplace(state.site->handler(), https);
  if (problem.empty()) problem = state.start_threads(made);
  if (!problem.empty()) {
    state.end_threads(made, 0);
    return problem;
  }
  const std::lock_guard publish(state.mutex);
  state.workers = std::move(made);
  return {};
}

Server::State::Workers Server::State::make_workers(const std::vector<int>& cpus) const {
  Workers made(core_count);
  for (std::size_t i = 0; i < made.size(); ++i) {
    made[i] = std::make_unique<Worker>();
    made[i]->index = i;
    if (options.pin) made[i]->cpu = cpus[i % cpus.size()];
    if (secure != nullptr) made[i]->transports = secure->make_factory(i);
  }
  return made;
}

std::string Server::State::load_certificates() {
  secure = options.tls_listen.empty() ? nullptr : serve::make_secure();
  if (options.tls_listen.empty()) return {};
  if (secure == nullptr) return "[tls] listen " + std::string(serve::no_secure);
  std::vector<std::string> problems;
  std::vector<std::string> warnings;
  secure->load(options, core_count, problems, warnings);
  return problems.empty() ? std::string() : problems.front();
}

std::string Server::State::open_listeners(Workers& made, const std::vector<std::string>& wanted,
                                          std::vector<std::string>& opened) {
  opened.clear();
  for (const std::string& text : wanted) {
    net::ListenAddress address;
    std::string wrong = net::read_listen_address(text, address);
    if (!wrong.empty()) return "cannot listen on " + wrong;
    if (const Error error = net::check_free(address); error.failed()) {
      return net::describe_listen_error(address, error);
    }
    wrong = open_listener(made, address);
    if (!wrong.empty()) return wrong;
    opened.push_back(address.text());
  }
  return {};
}

std::string Server::State::open_listener(Workers& made, net::ListenAddress& address) {
  for (auto& worker : made) {
    Result<io::Descriptor> opened = io::no_descriptor;
    const bool first = worker == made.front();
    if (address.inherited >= 0 && first) {
      const Error error = net::take_inherited_socket(address);
      opened = error.failed() ? Result<io::Descriptor>(error) : address.inherited;
    } else if ((address.inherited >= 0 || address.is_unix()) && !first) {
      // A socket that cannot be bound twice: the cores accept from one.
      const int copy = ::fcntl(made.front()->listeners.back(), F_DUPFD_CLOEXEC, 0);
      opened = copy < 0 ? Result<io::Descriptor>(Error{Errc::system, 0, errno}) : copy;
    } else {
      opened = net::open_listen_socket(address, made.size() > 1, listen_backlog);
    }
    if (!opened) return net::describe_listen_error(address, opened.error());
    worker->listeners.push_back(opened.value());
    const std::string text = address.text();
    if (first && address.inherited < 0 && address.is_unix() && !text.starts_with("unix:@")) {
      socket_files.push_back(text.substr(5));
    }
  }
  return {};
}

std::string Server::State::start_threads(Workers& made) {
  separated.clear();
  for (auto& worker : made) {
    if (!options.own_descriptors) break;
    separated.push_back(worker->listeners);
    // Before any thread: every table then has it, and so every thread can wake this one.
    worker->wake = ::eventfd(0, EFD_CLOEXEC);
    if (worker->wake < 0) return std::string("cannot open an eventfd: ") + std::strerror(errno);
  }
  finish = false;
  running = made.size();
  backends.emplace(options, made.size());
  std::string problem;
  for (auto& worker : made) {
    worker->server = this;
    const auto enter = [](void* of) -> void* {
      auto& self = *static_cast<Worker*>(of);
      self.server->work(self);
      return nullptr;
    };
    const int failed = ::pthread_create(&worker->thread, nullptr, enter, worker.get());
    worker->started = failed == 0;
    if (worker->started) continue;
    running.fetch_sub(1, std::memory_order_release);
    backends->absent();
    problem = "cannot start " + std::to_string(made.size()) + " threads (" + std::strerror(failed) +
              "): raise the limit of processes (ulimit -u) or choose fewer cores";
  }
  std::unique_lock lock(mutex);
  for (auto& worker : made) {
    changed.wait(lock, [&] { return worker->ready || !worker->started; });
    if (problem.empty()) problem = worker->problem;
  }
  if (options.own_descriptors) let_go_of_listeners(made);
  return problem;
}

void Server::State::let_go_of_listeners(Workers& made) noexcept {
  for (auto& worker : made) worker->listeners.clear();
  for (const auto& listeners : separated) {
    for (const io::Descriptor listener : listeners) ::close(listener);
  }
}

// A core's whole life, on its own thread.
void Server::State::work(Worker& worker) noexcept {
  serve::block_broken_pipes();
  serve::pin_this_thread(worker.cpu);
  MR_ASSERT(backends.has_value());
  std::string problem;
  if (options.own_descriptors) problem = serve::own_descriptors(separated, worker.index);
  if (!problem.empty()) backends->absent();
  const std::unique_ptr<io::IoBackend> backend =
      problem.empty() ? backends->open(problem, worker.wake) : nullptr;
  std::unique_ptr<serve::Core> core;
  if (backend != nullptr) {
    core = std::make_unique<serve::Core>(serve::core_options(options, core_count, problem), *backend,
                                         site->handler());
  }
  if (core != nullptr && problem.empty()) {
    core->scheduler().server = &owner;
    core->join_hub(*hub, worker.index);
    if (redirect) core->redirect_plain(*redirect);
    for (std::size_t i = 0; i < worker.listeners.size(); ++i) {
      core->listen(worker.listeners[i], i < worker.plain_listeners ? nullptr : worker.transports.get());
    }
    worker.listeners.clear();
  } else {
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

void Server::State::request_stop(const Workers& of, std::uint32_t grace_ms) noexcept {
  const std::lock_guard lock(mutex);
  for (const auto& worker : of) {
    if (worker->core != nullptr) worker->core->request_stop(grace_ms * ns_per_ms);
  }
}

void Server::State::drain(std::uint32_t grace_ms) noexcept { request_stop(workers, grace_ms); }

void Server::State::end_threads(const Workers& of, std::uint32_t grace_ms) noexcept {
  request_stop(of, grace_ms);
  {
    const std::lock_guard lock(mutex);
    finish = true;
  }
  changed.notify_all();
  for (const auto& worker : of) {
    if (worker->started) ::pthread_join(worker->thread, nullptr);
    for (io::Descriptor listener : worker->listeners) ::close(listener);  // No core has taken it.
    if (worker->wake >= 0) ::close(worker->wake);
  }
  for (const std::string& file : socket_files) ::unlink(file.c_str());
  socket_files.clear();
}

void Server::State::stop(std::uint32_t grace_ms) {
  drain(grace_ms);  // At once, also where another thread waits for a longer grace.
  const std::lock_guard lock(lifecycle);
  end_threads(workers, grace_ms);
  const std::lock_guard publish(mutex);
  workers.clear();
}

void Server::stop(std::uint32_t grace_ms) { state_->stop(grace_ms); }

void Server::drain(std::uint32_t grace_ms) noexcept { state_->drain(grace_ms); }

void Server::reopen_logs() noexcept {
  const std::lock_guard lock(state_->mutex);
  for (serve::Output* output : state_->outputs) output->reopen();
}

bool Server::drained() const noexcept { return state_->running.load(std::memory_order_acquire) == 0; }

bool Server::publish(std::string_view topic, std::string_view text) noexcept {
  const std::lock_guard lock(state_->mutex);
  return state_->hub == nullptr || state_->hub->post(serve::Hub::no_core, topic, text, ws::Opcode::text);
}

std::vector<std::string> Server::addresses() const { return state_->addresses; }

std::vector<std::string> Server::tls_addresses() const { return state_->tls_addresses; }

std::string Server::reload_certificates() {
  State& state = *state_;
  const std::lock_guard lock(state.lifecycle);
  if (state.secure == nullptr) return "there is no certificate to reload: [tls] listen is empty";
  std::vector<std::string> problems;
  std::vector<std::string> warnings;
  state.secure->load(state.options, state.core_count, problems, warnings);
  return problems.empty() ? std::string() : problems.front();
}

std::uint32_t Server::cores() const noexcept { return static_cast<std::uint32_t>(state_->core_count); }

std::string Server::backend() const {
  const auto& backends = state_->backends;
  return backends ? backends->answer().name : "";
}

std::string Server::backend_reason() const {
  const auto& backends = state_->backends;
  return backends ? backends->answer().reason : "";
}

ServerStats Server::stats() const noexcept {
  const State& state = *state_;
  const std::lock_guard lock(state.mutex);
  ServerStats total;
  for (const auto& worker : state.workers) {
    if (worker->core == nullptr) continue;
    serve::add_counters(worker->core->counters(), total);
    if (worker->transports != nullptr) serve::add_counters(worker->transports->counters(), total);
  }
  for (const serve::Output* output : state.outputs) total.log_lines_dropped += output->dropped();
  return total;
}

}  // namespace millrace
