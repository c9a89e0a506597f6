#include "engine/serve/backends.hpp"

#include <cstring>
#include <utility>

#include "engine/io/epoll/epoll_backend.hpp"
#include "engine/io/uring/uring_backend.hpp"
#include "engine/serve/core_options.hpp"

namespace millrace::serve {
namespace {

std::unique_ptr<io::IoBackend> open_epoll(const io::BackendOptions& options, std::string& problem) noexcept {
  Result<std::unique_ptr<io::IoBackend>> made = io::make_epoll(options);
  if (made) return std::move(made).value();
  problem = std::string("epoll cannot be used: ") + std::strerror(made.error().os_errno) +
            "; raise the limit of descriptors (ulimit -n 65536), or lower [rings] in the configuration.";
  return nullptr;
}

}  // namespace

Backends::Backends(const ServerOptions& options, std::size_t cores)
    : wanted_(options.backend), options_(backend_options(options)), awaited_(cores) {}

void Backends::arrive(const io::SetupProblem& why) noexcept {
  const std::lock_guard lock(mutex_);
  if (why_not_.cause == io::Cause::none) why_not_ = why;
  if (--awaited_ == 0) all_tried_.notify_all();
}

void Backends::absent() noexcept { arrive({}); }

std::unique_ptr<io::IoBackend> Backends::open(std::string& problem, io::Descriptor wake) noexcept {
  io::BackendOptions options = options_;
  options.wake_descriptor = wake;
  if (wanted_ == "epoll") {
    arrive({});
    return open_epoll(options, problem);
  }
  std::unique_ptr<io::IoBackend> ring;
  io::SetupProblem why;
  Result<std::unique_ptr<io::IoBackend>> made = io::make_uring(options, &why);
  if (made) ring = std::move(made).value();
  arrive(why);
  {
    std::unique_lock lock(mutex_);
    all_tried_.wait(lock, [this] { return awaited_ == 0; });
    why = why_not_;
  }
  if (why.cause == io::Cause::none) return ring;
  ring.reset();
  if (wanted_ == "auto") return open_epoll(options, problem);
  problem = io::describe(why);
  return nullptr;
}

BackendAnswer Backends::answer() const {
  const std::lock_guard lock(mutex_);
  if (wanted_ == "epoll") return {.name = "epoll", .reason = {}};
  if (why_not_.cause == io::Cause::none) return {.name = "io_uring", .reason = {}};
  return {.name = wanted_ == "auto" ? "epoll" : "", .reason = io::describe(why_not_)};
}

BackendAnswer try_backend(const ServerOptions& options) {
  Backends backends(options, 1);
  std::string problem;
  if (backends.open(problem) == nullptr) return {.name = {}, .reason = problem};
  return backends.answer();
}

}  // namespace millrace::serve
