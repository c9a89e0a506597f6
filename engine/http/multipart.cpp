#include "engine/http/multipart.hpp"

#include <string.h>

#include <algorithm>
#include <cstddef>

#include "engine/base/assert.hpp"

namespace millrace::http {
namespace {

constexpr std::string_view head_end = "\r\n\r\n";
constexpr std::size_t head_step_bytes = 512;  ///< Heads are collected in steps, because data follows them.
constexpr std::uint32_t padding_bytes_max = 64;

}  // namespace

MultipartParser::MultipartParser(std::string_view boundary, const MultipartLimits& limits)
    : delimiter_("\r\n--"), limits_(limits) {
  MR_ASSERT(!boundary.empty() && boundary.size() <= 70);
  delimiter_ += boundary;
}

Error MultipartParser::refuse(Errc code, const char* problem) noexcept {
  problem_ = problem;
  return {code, static_cast<std::uint16_t>(code == Errc::bad_multipart ? 400 : 413)};
}

Result<MultipartEvent> MultipartParser::next(std::string_view& input) {
  while (!input.empty()) {
    Result<MultipartEvent> event = MultipartEvent{};
    switch (state_) {
      case State::preamble:
      case State::data: event = search(input); break;
      case State::boundary_line:
      case State::closing_dash:
      case State::line_end: event = boundary_line(input); break;
      case State::head: event = collect_head(input); break;
      case State::done: input = {}; break;
    }
    if (!event || event->step != MultipartStep::need_more) return event;
  }
  return MultipartEvent{};
}

Error MultipartParser::finish() noexcept {
  if (state_ == State::done) return {};
  return refuse(Errc::bad_multipart, "the closing boundary is missing");
}

// What lies before the next delimiter, at the speed of memmem.
Result<MultipartEvent> MultipartParser::search(std::string_view& input) noexcept {
  if (matched_ != 0) return resume_match(input);
  const void* found = ::memmem(input.data(), input.size(), delimiter_.data(), delimiter_.size());
  std::string_view data = input;
  if (found == input.data()) {
    input.remove_prefix(delimiter_.size());
    return found_boundary();
  }
  if (found != nullptr) {
    data = input.substr(0, static_cast<std::size_t>(static_cast<const char*>(found) - input.data()));
    input.remove_prefix(data.size());
  } else {
    // The delimiter may have begun: with the last CR, because it has no other.
    const std::string_view tail = input.substr(input.size() - std::min(input.size(), delimiter_.size() - 1));
    const std::size_t at = tail.rfind('\r');
    if (at != std::string_view::npos && delimiter_.starts_with(tail.substr(at))) {
      matched_ = tail.size() - at;
      data.remove_suffix(matched_);
    }
    input = {};
  }
  if (data.empty() || !in_part_) return MultipartEvent{};
  return MultipartEvent{MultipartStep::data, data};
}

// The input before ended with what may be the beginning of a delimiter.
Result<MultipartEvent> MultipartParser::resume_match(std::string_view& input) noexcept {
  const std::string_view wanted = std::string_view(delimiter_).substr(matched_);
  std::size_t same = 0;
  while (same < wanted.size() && same < input.size() && input[same] == wanted[same]) ++same;
  matched_ += same;
  input.remove_prefix(same);
  if (same == wanted.size()) {
    matched_ = 0;
    return found_boundary();
  }
  if (input.empty()) return MultipartEvent{};
  const std::string_view data = std::string_view(delimiter_).substr(0, matched_);
  matched_ = 0;
  if (!in_part_) return MultipartEvent{};
  return MultipartEvent{MultipartStep::data, data};
}

Result<MultipartEvent> MultipartParser::found_boundary() noexcept {
  state_ = State::boundary_line;
  padding_bytes_ = 0;
  if (!in_part_) return MultipartEvent{};
  in_part_ = false;
  return MultipartEvent{MultipartStep::part_end};
}

// Behind a delimiter: the closing dashes, or white space and CRLF.
Result<MultipartEvent> MultipartParser::boundary_line(std::string_view& input) {
  const char byte = input.front();
  input.remove_prefix(1);
  if (state_ == State::closing_dash && byte == '-') {
    state_ = State::done;
    return MultipartEvent{MultipartStep::end};
  }
  if (state_ == State::line_end && byte == '\n') {
    if (parts_ == limits_.parts_max) return refuse(Errc::parts_too_many, "it has too many parts");
    ++parts_;
    head_bytes_ = "\r\n";  // So that a head without any line ends like the others.
    state_ = State::head;
    return MultipartEvent{};
  }
  if (state_ == State::boundary_line) {
    if (byte == '\r') {
      state_ = State::line_end;
      return MultipartEvent{};
    }
    if (byte == '-' && padding_bytes_ == 0) {
      state_ = State::closing_dash;
      return MultipartEvent{};
    }
    if ((byte == ' ' || byte == '\t') && ++padding_bytes_ <= padding_bytes_max) return MultipartEvent{};
  }
  return refuse(Errc::bad_multipart, "a boundary is followed by something else");
}

Result<MultipartEvent> MultipartParser::collect_head(std::string_view& input) {
  const std::size_t before = head_bytes_.size();
  const std::size_t bytes_max = limits_.part_head_bytes_max + 2;  // The CRLF that is not of the head.
  const std::size_t room = bytes_max > before ? bytes_max - before : 0;
  const std::string_view step = input.substr(0, std::min(head_step_bytes, room));
  head_bytes_ += step;
  const std::size_t from = before < head_end.size() - 1 ? 0 : before - (head_end.size() - 1);
  const std::size_t found = head_bytes_.find(head_end, from);
  if (found == std::string::npos) {
    if (head_bytes_.size() >= bytes_max)
      return refuse(Errc::part_head_too_large, "the head of a part is too large");
    input.remove_prefix(step.size());
    return MultipartEvent{};
  }
  input.remove_prefix(found + head_end.size() - before);
  head_bytes_.resize(found + 2);
  return read_head();
}

Result<MultipartEvent> MultipartParser::read_head() {
  if (const char* problem = read_part_head(std::string_view(head_bytes_).substr(2), head_)) {
    return refuse(Errc::bad_multipart, problem);
  }
  state_ = State::data;
  in_part_ = true;
  return MultipartEvent{MultipartStep::part};
}

}  // namespace millrace::http
