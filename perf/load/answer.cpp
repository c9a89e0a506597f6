#include "perf/load/answer.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace millrace::perf {
namespace {

constexpr std::size_t date_bytes = 29;  // RFC 9110 section 5.6.7, IMF-fixdate.

bool equal_fold(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return (a | 0x20) == (b | 0x20); });
}

bool parse_length(std::string_view text, std::size_t& out) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  return failed == std::errc{} && end == text.data() + text.size();
}

}  // namespace

std::optional<ParsedAnswer> parse_answer(std::string_view bytes) {
  constexpr std::string_view status = "HTTP/1.1 200 ";
  const std::size_t compared = std::min(status.size(), bytes.size());
  if (bytes.substr(0, compared) != status.substr(0, compared)) return std::nullopt;
  const std::size_t head_end = bytes.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return ParsedAnswer{};

  ParsedAnswer answer;
  std::optional<std::size_t> length;
  for (std::size_t at = bytes.find("\r\n") + 2; at < head_end + 2;) {
    const std::size_t line_end = bytes.find("\r\n", at);
    const std::string_view line = bytes.substr(at, line_end - at);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const std::size_t value_at = std::min(line.find_first_not_of(" \t", colon + 1), line.size());
    const std::string_view value = line.substr(value_at);
    if (equal_fold(line.substr(0, colon), "content-length")) {
      std::size_t parsed = 0;
      if (length || !parse_length(value, parsed)) return std::nullopt;
      length = parsed;
    } else if (equal_fold(line.substr(0, colon), "date") && value.size() == date_bytes) {
      answer.date_at = at + value_at;
    }
    at = line_end + 2;
  }
  if (!length) return std::nullopt;
  const std::size_t size = head_end + 4 + *length;
  if (bytes.size() < size) return ParsedAnswer{};
  answer.size = size;
  answer.body = bytes.substr(head_end + 4, *length);
  return answer;
}

AnswerBook::AnswerBook(const Workload& workload, bool check_body) : check_body_(check_body) {
  for (const Exchange& exchange : workload.batch) pages_.push_back({.want = exchange.body, .learned = {}});
}

std::size_t AnswerBook::batch_bytes() const noexcept {
  std::size_t sum = 0;
  for (const Page& page : pages_) {
    if (page.learned.empty()) return 0;
    sum += page.learned.size();
  }
  return sum;
}

bool AnswerBook::same(const Page& page, std::string_view bytes) noexcept {
  const char* learned = page.learned.data();
  const std::size_t size = page.learned.size();
  if (page.date_at == 0) return std::memcmp(learned, bytes.data(), size) == 0;
  const std::size_t behind = page.date_at + date_bytes;
  return std::memcmp(learned, bytes.data(), page.date_at) == 0 &&
         std::memcmp(learned + behind, bytes.data() + behind, size - behind) == 0;
}

std::optional<std::size_t> AnswerBook::take(std::size_t index, std::string_view bytes) {
  Page& page = pages_[index];
  if (!page.learned.empty() && bytes.size() >= page.learned.size() && same(page, bytes)) [[likely]]
    return page.learned.size();
  return learn(page, bytes);
}

std::optional<std::size_t> AnswerBook::learn(Page& page, std::string_view bytes) {
  const std::optional<ParsedAnswer> answer = parse_answer(bytes);
  if (!answer) {
    problem_ = "not a 200 with a Content-Length: '" + std::string(bytes.substr(0, 200)) + "'";
    return std::nullopt;
  }
  if (answer->size == 0) return 0;
  if (check_body_ && answer->body != page.want) {
    problem_ = "the body is '" + std::string(answer->body.substr(0, 200)) + "', not '" + page.want + "'";
    return std::nullopt;
  }
  if (page.learned.empty()) {
    page.learned = bytes.substr(0, answer->size);
    page.date_at = answer->date_at;
  } else if (page.learned.size() != answer->size) {
    problem_ = "an answer of " + std::to_string(answer->size) + " bytes, where " +
               std::to_string(page.learned.size()) + " were right before";
    return std::nullopt;
  }
  return answer->size;
}

}  // namespace millrace::perf
