// answer.hpp: reads answers and checks every one of them.
//
// The first answer to each request of the batch is parsed: status 200, a Content-Length, the body
// that the workload wants. The following ones must be the same bytes, the value of Date excepted:
// comparing costs a few nanoseconds where parsing costs a hundred, and forgives less. What compares
// unequal is parsed, and must have the same length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "perf/load/workload.hpp"

namespace millrace::perf {

struct ParsedAnswer {
  std::size_t size = 0;     ///< Head and body; 0: not whole yet.
  std::size_t date_at = 0;  ///< Where the value of Date is; 0: there is none.
  std::string_view body;
};

/// Parses one answer at the front of `bytes`. Nothing where it is not a 200 with a Content-Length.
/// Fields are matched without regard to case. Source: RFC 9112 sections 4 to 6.
std::optional<ParsedAnswer> parse_answer(std::string_view bytes);

/// Shared by all connections: what each request of the batch is answered.
class AnswerBook {
 public:
  /// Without `check_body` any body will do.
  AnswerBook(const Workload& workload, bool check_body);

  /// Takes the answer to request `index` off the front of `bytes`: its size; 0 when it is not whole;
  /// or nothing when it is wrong, and problem() says how.
  std::optional<std::size_t> take(std::size_t index, std::string_view bytes);

  const std::string& problem() const noexcept { return problem_; }
  std::size_t depth() const noexcept { return pages_.size(); }
  /// Bytes of all answers of a batch; 0 before the first batch was answered.
  std::size_t batch_bytes() const noexcept;

 private:
  struct Page {
    std::string want;     ///< The body.
    std::string learned;  ///< The first answer.
    std::size_t date_at = 0;
  };
  static bool same(const Page& page, std::string_view bytes) noexcept;
  std::optional<std::size_t> learn(Page& page, std::string_view bytes);

  std::vector<Page> pages_;
  bool check_body_;
  std::string problem_;
};

}  // namespace millrace::perf
