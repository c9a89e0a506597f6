// chain_segment.hpp: the engine's part of a chain of middleware that has a coroutine in it.
#pragma once

#include <millrace/detail/bridge.hpp>
#include <millrace/response.hpp>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace millrace::detail {

/// What lies between two coroutines of a chain. While it lives, replies go through its afters. In a
/// coroutine's frame; segments of a request nest.
class ChainSegment {
 public:
  /// What is to be run behind the befores.
  enum class Step : std::uint8_t { answered, around, handler };

  /// index: of the first middleware. captures: the reply is for take(), not for the client.
  ChainSegment(Request& request, std::uint32_t index, bool captures) noexcept;
  ChainSegment(const ChainSegment&) = delete;
  ChainSegment& operator=(const ChainSegment&) = delete;
  ~ChainSegment();

  /// Runs the befores.
  Step enter() noexcept;
  /// After Step::around: the coroutine to run, and where what is further in begins.
  const Middleware& around() const noexcept;
  std::uint32_t next_index() const noexcept;
  /// After Step::handler. True: it has ended; else wait() says whom to resume then.
  bool start_handler() noexcept;
  void wait(std::coroutine_handle<> handle) noexcept;
  /// What was captured.
  Response take() noexcept;

 private:
  std::optional<Response> kept_;
  static constexpr std::size_t storage_bytes = 232;
  alignas(std::max_align_t) unsigned char storage_[storage_bytes];
};

}  // namespace millrace::detail
