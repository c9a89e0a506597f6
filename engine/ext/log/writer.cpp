#include "engine/ext/log/writer.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace millrace::log {
namespace {

/// How long a line waits at most, while the disk is faster than the cores.
constexpr std::chrono::milliseconds look_every(50);

std::atomic<std::uint64_t> writers_made{0};

struct Remembered {
  std::uint64_t writer;
  std::shared_ptr<LineRing> ring;
};
thread_local std::vector<Remembered> rings_of_this_thread;

int open_file(const std::string& path) noexcept {
  if (path == "-") return ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
}

void say(const std::string& text) noexcept {
  // Nobody is there to be told that this failed too.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

Writer::Writer(std::string path, std::size_t ring_bytes)
    : id_(++writers_made), path_(std::move(path)), ring_bytes_(ring_bytes) {}

Writer::~Writer() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::string Writer::open() {
  if (thread_.joinable()) return {};
  descriptor_ = open_file(path_);
  if (descriptor_ < 0) {
    return fmt::format(
        "the access log {} cannot be opened ({}): create its directory, and let this user write there", path_,
        std::strerror(errno));
  }
  // Signals are for the program's own threads.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return {};
}

void Writer::reopen() noexcept {
  reopen_.store(true, std::memory_order_relaxed);
  changed_.notify_one();
}

std::uint64_t Writer::dropped() const noexcept {
  std::uint64_t total = dropped_.load(std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  for (const auto& ring : rings_) total += ring->dropped();
  return total;
}

void Writer::write(std::string_view line) noexcept {
  bool half_full = false;
  ring_of_this_thread().push(line, half_full);
  if (!half_full) return;
  wanted_.store(true, std::memory_order_relaxed);
  changed_.notify_one();  // Without the lock: one that is missed costs the rest of look_every.
}

LineRing& Writer::ring_of_this_thread() {
  for (const Remembered& known : rings_of_this_thread) {
    if (known.writer == id_) return *known.ring;
  }
  // First line of this thread. Rings whose writer is gone go too.
  std::erase_if(rings_of_this_thread, [](const Remembered& one) { return one.ring.use_count() == 1; });
  auto ring = std::make_shared<LineRing>(ring_bytes_);
  rings_of_this_thread.push_back({id_, ring});
  const std::lock_guard lock(mutex_);
  rings_.push_back(std::move(ring));
  return *rings_.back();
}

void Writer::run() noexcept {
  for (bool ending = false; !ending;) {
    Rings rings;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, look_every, [this] {
        return ending_ || reopen_.load(std::memory_order_relaxed) || wanted_.load(std::memory_order_relaxed);
      });
      ending = ending_;
      rings = rings_;
    }
    wanted_.store(false, std::memory_order_relaxed);
    if (reopen_.exchange(false, std::memory_order_relaxed)) {
      write_all(rings);  // What was before belongs to the old file.
      open_again();
    }
    write_all(rings);
    rings.clear();
    // A thread that has ended keeps nothing: what it left was written above, or will be by the next round.
    const std::lock_guard lock(mutex_);
    std::erase_if(rings_, [this](const std::shared_ptr<LineRing>& ring) {
      if (ring.use_count() != 1 || !ring->readable().empty()) return false;
      dropped_.fetch_add(ring->dropped(), std::memory_order_relaxed);
      return true;
    });
  }
}

void Writer::write_all(const Rings& rings) noexcept {
  for (const auto& ring : rings) {
    // Twice: before the ring's end, and behind its beginning. What comes meanwhile has its turn later.
    for (int part = 0; part < 2; ++part) {
      const std::span<const char> bytes = ring->readable();
      if (bytes.empty()) break;
      write_out({bytes.data(), bytes.size()});
      ring->consume(bytes.size());
    }
  }
}

// Of a line that the ring's end has cut the first part may be lost and the second not, or the other way
// round: torn_ keeps the lines behind it whole.
void Writer::write_out(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const bool mend = torn_ && failing_;
    const ssize_t written =
        mend ? ::write(descriptor_, "\n", 1) : ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return lose(bytes, written < 0 ? errno : EIO);
    if (failing_) {
      failing_ = false;
      say(fmt::format("millrace: the access log {} is written again; {} lines were dropped\n", path_,
                      std::exchange(lost_, 0)));
    }
    if (mend) {
      torn_ = false;
      continue;
    }
    torn_ = bytes[static_cast<std::size_t>(written) - 1] != '\n';
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void Writer::lose(std::string_view bytes, int why) noexcept {
  const auto lines = static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.end(), '\n'));
  lost_ += lines;
  dropped_.fetch_add(lines, std::memory_order_relaxed);
  if (std::exchange(failing_, true)) return;
  say(fmt::format("millrace: the access log {} cannot be written ({}): its lines are dropped until it can\n",
                  path_, std::strerror(why)));
}

void Writer::open_again() noexcept {
  const int opened = open_file(path_);
  if (opened < 0) {
    return say(
        fmt::format("millrace: the access log {} cannot be opened again ({}): it goes on in the old file\n",
                    path_, std::strerror(errno)));
  }
  ::close(std::exchange(descriptor_, opened));
  torn_ = false;
}

}  // namespace millrace::log
