#include "engine/serve/thread_setup.hpp"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace millrace::serve {

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

void block_broken_pipes() noexcept {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

std::string own_descriptors(std::span<const std::vector<io::Descriptor>> listeners, std::size_t own) {
  if (::unshare(CLONE_FILES) != 0) {
    return std::string("a core cannot have descriptors of its own (") + std::strerror(errno) +
           "): allow unshare(2), or leave own_descriptors off and raise ulimit -n";
  }
  for (std::size_t core = 0; core < listeners.size(); ++core) {
    if (core == own) continue;
    for (const io::Descriptor listener : listeners[core]) ::close(listener);
  }
  return {};
}

}  // namespace millrace::serve
