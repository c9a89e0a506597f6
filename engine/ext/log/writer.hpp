// writer.hpp: one thread that writes the lines of all cores to a file.
//
//   core's done() -> write() -> LineRing of the core -> [writer thread] -> file
//
// A core never waits for the disk. Where the file cannot be written (full, gone, slow), lines are dropped and
// counted, standard error is told once, and once more when it can be written again.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/ext/log/line_ring.hpp"
#include "engine/serve/output.hpp"

namespace millrace::log {

class Writer final : public serve::Output {
 public:
  /// path: "-" for standard output. ring_bytes: a core.
  Writer(std::string path, std::size_t ring_bytes);
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  /// Writes what there is, and ends the thread.
  ~Writer();

  std::string open() override;
  void reopen() noexcept override;
  std::uint64_t dropped() const noexcept override;

  /// Any thread, each with a ring of its own. `line` ends in a line's end. Drops it before open().
  void write(std::string_view line) noexcept;

 private:
  using Rings = std::vector<std::shared_ptr<LineRing>>;

  LineRing& ring_of_this_thread();
  void run() noexcept;
  void write_all(const Rings& rings) noexcept;
  void write_out(std::string_view bytes) noexcept;
  void lose(std::string_view bytes, int why) noexcept;
  void open_again() noexcept;

  const std::uint64_t id_;  ///< Never used again: what a thread remembers cannot mean another writer.
  const std::string path_;
  const std::size_t ring_bytes_;
  int descriptor_ = -1;
  bool torn_ = false;     ///< The last line in the file has no end.
  bool failing_ = false;  ///< Standard error knows.
  std::uint64_t lost_ = 0;
  std::atomic<std::uint64_t> dropped_{0};  ///< By the writer, and of rings that are gone.
  std::atomic<bool> reopen_{false};
  std::atomic<bool> wanted_{false};  ///< A ring is half full.

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Rings rings_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace millrace::log
