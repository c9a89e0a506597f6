// multipart.hpp: multipart/form-data as it comes: bytes in, cut anywhere; parts and their data out.
//
//   body's bytes -> [MultipartParser] -> part, data, data..., part_end, part..., end
//
// Source      RFC 7578; RFC 2046 section 5.1.1 for the boundaries.
// Memory      the head of one part (part_head_bytes_max); data is never copied: it is given as views of
//             the input, or, where a line looked like a boundary at first, of the boundary's own copy.
// Strictness  every part must say `form-data` and its name; what follows a boundary on its line must be
//             white space or the closing dashes; a control character in a part's head, a bare CR or LF, or
//             a folded line is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/result.hpp"

namespace millrace::http {

struct MultipartLimits {
  std::uint32_t parts_max = 1000;                ///< More: parts_too_many, 413.
  std::uint32_t part_head_bytes_max = 8 * 1024;  ///< Of one part, its empty line included: 413.
};

/// What a part says of itself.
struct PartHead {
  std::string name;
  /// As sent: never a path to open. Without one the part is an ordinary field.
  std::optional<std::string> filename;
  std::string content_type;  ///< As sent; empty: none was.
};

enum class MultipartStep : std::uint8_t {
  need_more,  ///< The input is used up; not an event.
  part,       ///< A part begins: see head().
  data,       ///< Bytes of it.
  part_end,
  end,  ///< The closing boundary; what follows is passed over.
};

struct MultipartEvent {
  MultipartStep step = MultipartStep::need_more;
  std::string_view data = {};  ///< For `data`, never empty; valid as long as the input and the parser are.
};

class MultipartParser {
 public:
  /// boundary: of read_boundary().
  explicit MultipartParser(std::string_view boundary, const MultipartLimits& limits = {});

  /// The next event; cuts what it has used off the front of `input`. An Error is final:
  ///   bad_multipart 400, parts_too_many 413, part_head_too_large 413; problem() says more.
  /// O(bytes used); allocates for the heads of parts alone.
  Result<MultipartEvent> next(std::string_view& input);

  /// At the end of the body: bad_multipart 400 where the closing boundary has not come.
  Error finish() noexcept;

  /// Of the part that `part` began, until the next one.
  const PartHead& head() const noexcept { return head_; }
  /// A sentence's worth of what was wrong, for the client.
  const char* problem() const noexcept { return problem_; }

 private:
  enum class State : std::uint8_t { preamble, boundary_line, closing_dash, line_end, head, data, done };

  Result<MultipartEvent> search(std::string_view& input) noexcept;
  Result<MultipartEvent> resume_match(std::string_view& input) noexcept;
  Result<MultipartEvent> found_boundary() noexcept;
  Result<MultipartEvent> boundary_line(std::string_view& input);
  Result<MultipartEvent> collect_head(std::string_view& input);
  Result<MultipartEvent> read_head();
  Error refuse(Errc code, const char* problem) noexcept;

  std::string delimiter_;   ///< CRLF, two dashes, the boundary: its one CR is its first byte.
  std::string head_bytes_;  ///< From the CRLF of the boundary's line on.
  PartHead head_;
  MultipartLimits limits_;
  std::uint32_t parts_ = 0;
  std::uint32_t padding_bytes_ = 0;
  /// How much of the delimiter the input's last bytes were. A body may begin with a boundary: as if a
  /// CRLF had come before it.
  std::size_t matched_ = 2;
  State state_ = State::preamble;
  bool in_part_ = false;
  const char* problem_ = "";
};

/// The boundary of a Content-Type, into `out`. False where the type is not multipart/form-data, or has no
/// boundary, two of them, or one that is not 1 to 70 of the characters RFC 2046 allows.
bool read_boundary(std::string_view content_type, std::string& out);

/// What the lines of a part's head say; "Name: value\r\n"..., without the empty line. Null, or what is
/// wrong with them.
const char* read_part_head(std::string_view lines, PartHead& out);

}  // namespace millrace::http
