// answers.hpp: what the null servers say, and how much of it they owe a connection.
//
// The request is never looked at: bytes are counted, and every request_bytes of them are owed one
// answer. The answers are all the same, so what is owed is a count of bytes and a place in a buffer
// of repeated answers; a short send only moves that place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::perf {

struct Shape {
  std::uint32_t request_bytes = 35;    ///< Of one request, or of a whole batch of them.
  std::uint32_t answers = 1;           ///< Owed for that many bytes.
  std::uint32_t response_bytes = 128;  ///< Of one answer, its head and body.
};

class Answers {
 public:
  static constexpr std::uint32_t send_bytes_max = 256 * 1024;

  explicit Answers(const Shape& shape);

  std::uint32_t request_bytes() const noexcept { return shape_.request_bytes; }
  std::uint32_t reply_bytes() const noexcept { return shape_.answers * shape_.response_bytes; }
  /// The next bytes from that place on: all that are owed, or send_bytes_max.
  std::string_view bytes(std::uint32_t place, std::uint64_t owed) const noexcept {
    return {repeated_.data() + place, owed < send_bytes_max ? owed : send_bytes_max};
  }
  std::uint32_t response_bytes() const noexcept { return shape_.response_bytes; }

 private:
  Shape shape_;
  std::string repeated_;
};

/// One connection's account.
struct Account {
  std::uint64_t owed = 0;     ///< Bytes to send.
  std::uint32_t partial = 0;  ///< Bytes of a request that has not come whole.
  std::uint32_t place = 0;    ///< Where in an answer the next byte is.

  void received(const Answers& answers, std::uint32_t size_bytes) noexcept {
    partial += size_bytes;
    if (partial < answers.request_bytes()) return;
    owed += std::uint64_t{partial / answers.request_bytes()} * answers.reply_bytes();
    partial %= answers.request_bytes();
  }
  void sent(const Answers& answers, std::uint32_t size_bytes) noexcept {
    owed -= size_bytes;
    place = (place + size_bytes) % answers.response_bytes();
  }
};

}  // namespace millrace::perf
