// output.hpp: where middleware writes to, as the server sees it: opened with it, opened again on a signal.
#pragma once

#include <cstdint>
#include <string>

namespace millrace::serve {

class Output {
 public:
  /// Before the first request. An empty string, or a sentence that says what failed. Again: does nothing.
  virtual std::string open() = 0;
  /// The file was moved away: a new one is wanted under its name. Any thread; returns at once.
  virtual void reopen() noexcept = 0;
  /// Lines that could not be written. Any thread.
  virtual std::uint64_t dropped() const noexcept = 0;

 protected:
  ~Output() = default;
};

}  // namespace millrace::serve
