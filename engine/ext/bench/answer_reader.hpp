// answer_reader.hpp: the answers on one connection, read and judged as their bytes come.
//
//   bytes -> [AnswerReader] -> whole answers, each right or with what is wrong with it
//
// A head that equals the last one answered to the same request, the value of Date excepted, is framed as
// that was: comparing costs a few nanoseconds where reading costs a hundred. Bodies are not kept: they are
// counted, and compared where a body is expected.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/ext/bench/plan.hpp"
#include "engine/http/chunked.hpp"
#include "engine/http/response_head.hpp"

namespace millrace::bench {

/// The last head answered to one request; shared by the connections of a thread.
struct LearnedHead {
  std::string bytes;
  std::size_t date_at = 0;  ///< Where the value of Date begins; 0: there is none.
  std::uint16_t status = 0;
  http::ResponseFraming framing;
};

struct Taken {
  std::size_t bytes = 0;     ///< Eaten, of those given.
  bool whole = false;        ///< The answer is complete.
  bool last = false;         ///< With `whole`: the server takes no further request on this connection.
  std::uint16_t status = 0;  ///< With `whole`.
  std::string fault =
      {};  ///< What is wrong. Without `whole` the bytes make no sense: give up the connection.
};

class AnswerReader {
 public:
  static constexpr std::uint16_t fields_max = 256;
  static constexpr std::uint32_t interim_max = 16;  ///< 1xx heads before an answer.

  AnswerReader(const Expectation& expect, http::Method method) noexcept : expect_(&expect), method_(method) {}

  /// Takes bytes to the end of one answer at most; chunked data is decoded in place. size > 0.
  Taken take(char* bytes, std::size_t size, LearnedHead& learned);

  /// The server has closed: the answer that only this ends, if there is one under way.
  Taken close();
  /// Some bytes of an answer were taken, and not all.
  bool inside() const noexcept { return step_ != Step::head || !carry_.empty() || interim_ != 0; }
  /// Ready for another connection.
  void reset() noexcept;

 private:
  enum class Step : std::uint8_t { head, length, chunked, until_close };

  Taken take_head(char* bytes, std::size_t size, LearnedHead& learned);
  std::string read_head(std::string_view bytes, LearnedHead& learned, std::size_t& head_bytes);
  void begin_body(const LearnedHead& learned) noexcept;
  Taken take_body(char* bytes, std::size_t size);
  void judge(std::string_view body) noexcept;
  Taken finish(std::size_t bytes);

  const Expectation* expect_;
  std::string carry_;  ///< The front of a head whose end has not come.
  http::ChunkedState chunks_;
  std::uint64_t left_bytes_ = 0;  ///< Of a body framed by its length.
  std::uint64_t body_bytes_ = 0;
  std::uint32_t interim_ = 0;
  std::uint16_t status_ = 0;
  http::Method method_;
  Step step_ = Step::head;
  bool last_ = false;
  bool body_wrong_ = false;
};

}  // namespace millrace::bench
