#include "engine/ext/bench/answer_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "engine/base/assert.hpp"
#include "engine/http/match.hpp"

namespace millrace::bench {
namespace {

constexpr std::size_t date_bytes = 29;  // RFC 9110 section 5.6.7, IMF-fixdate.
constexpr http::ChunkLimits any_body{.body_bytes_max = 1ull << 62};

bool same_head(const LearnedHead& learned, const char* bytes, std::size_t size) noexcept {
  const std::size_t head_bytes = learned.bytes.size();
  if (head_bytes == 0 || size < head_bytes) return false;
  const char* known = learned.bytes.data();
  if (learned.date_at == 0) return std::memcmp(known, bytes, head_bytes) == 0;
  const std::size_t behind = learned.date_at + date_bytes;
  return std::memcmp(known, bytes, learned.date_at) == 0 &&
         std::memcmp(known + behind, bytes + behind, head_bytes - behind) == 0;
}

/// What a person can read of bytes that came: the first line, what is not ASCII text as dots.
std::string shown(std::string_view bytes) {
  std::string line(bytes.substr(0, std::min<std::size_t>(bytes.find_first_of("\r\n"), 60)));
  std::replace_if(
      line.begin(), line.end(), [](char byte) { return byte < ' ' || byte > '~'; }, '.');
  return line;
}

}  // namespace

Taken AnswerReader::take(char* bytes, std::size_t size, LearnedHead& learned) {
  MR_ASSERT(size != 0);
  if (step_ != Step::head) return take_body(bytes, size);
  Taken taken = take_head(bytes, size, learned);
  if (step_ == Step::head || taken.whole || taken.bytes == size) return taken;
  Taken body = take_body(bytes + taken.bytes, size - taken.bytes);
  body.bytes += taken.bytes;
  return body;
}

Taken AnswerReader::take_head(char* bytes, std::size_t size, LearnedHead& learned) {
  std::size_t head_bytes = learned.bytes.size();
  std::size_t eaten = 0;
  if (carry_.empty() && same_head(learned, bytes, size)) [[likely]] {
    eaten = head_bytes;
  } else {
    const std::size_t carried = carry_.size();
    if (carried != 0) carry_.append(bytes, std::min<std::size_t>(size, http::head_bytes_ceiling));
    std::string fault = read_head(carried != 0 ? std::string_view(carry_) : std::string_view(bytes, size),
                                  learned, head_bytes);
    if (!fault.empty()) return {.bytes = size, .fault = std::move(fault)};
    if (head_bytes == 0) {
      if (carried == 0) carry_.assign(bytes, size);
      return {.bytes = size};
    }
    MR_ASSERT(head_bytes > carried);
    eaten = head_bytes - carried;
    carry_.clear();
    if (interim_ != 0 && learned.status < 200) return {.bytes = eaten};
  }
  begin_body(learned);
  return step_ == Step::head ? finish(eaten) : Taken{.bytes = eaten};
}

/// Reads the head into `learned`; head_bytes is 0 where it is cut. Interim answers (RFC 9110 section
/// 15.2) are counted and left behind.
std::string AnswerReader::read_head(std::string_view bytes, LearnedHead& learned, std::size_t& head_bytes) {
  std::array<http::Field, fields_max> fields;
  http::ResponseHead head;
  head.fields = fields.data();
  head.fields_max = fields_max;
  head_bytes = 0;
  Error error = http::read_response_head(bytes, head);
  if (error.code == Errc::need_more) return {};
  if (!error.failed()) error = http::read_response_framing(head, method_, learned.framing);
  if (error.failed())
    return fmt::format("not an answer of HTTP/1.1 ({}): `{}`", name_of(error.code), shown(bytes));
  head_bytes = head.size;
  learned.status = head.status;
  learned.bytes.clear();  // An interim head is not learned: what it is followed by is the answer.
  if (head.status == 101) return "the server switched protocols (101), though nobody asked it to";
  if (head.status < 200)
    return ++interim_ > interim_max ? fmt::format("more than {} interim answers (1xx)", interim_max)
                                    : std::string();
  learned.bytes.assign(bytes, 0, head.size);
  learned.date_at = 0;
  for (const http::Field* field = head.fields; field != head.fields + head.field_count; ++field)
    if (http::matches_lower(head.name(*field), "date") && field->value_size == date_bytes)
      learned.date_at = field->value_at;
  return {};
}

void AnswerReader::begin_body(const LearnedHead& learned) noexcept {
  status_ = learned.status;
  last_ = !learned.framing.keep_alive;
  interim_ = 0;
  body_bytes_ = 0;
  body_wrong_ = false;
  switch (learned.framing.body) {
    case http::ResponseBody::none: break;
    case http::ResponseBody::length:
      step_ = Step::length;
      left_bytes_ = learned.framing.content_length;
      break;
    case http::ResponseBody::chunked:
      step_ = Step::chunked;
      chunks_ = {};
      break;
    case http::ResponseBody::until_close: step_ = Step::until_close; break;
  }
}

Taken AnswerReader::take_body(char* bytes, std::size_t size) {
  if (step_ == Step::length) {
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(left_bytes_, size));
    judge({bytes, part});
    left_bytes_ -= part;
    return left_bytes_ == 0 ? finish(part) : Taken{.bytes = part};
  }
  if (step_ == Step::until_close) {
    judge({bytes, size});
    return {.bytes = size};
  }
  Result<http::ChunkedProgress> progress =
      http::decode_chunked(chunks_, any_body, bytes, size, bytes, nullptr, nullptr);
  if (!progress)
    return {.bytes = size,
            .fault = fmt::format("a chunked body is broken ({})", name_of(progress.error().code))};
  judge({bytes, progress->written_bytes});
  return progress->done ? finish(progress->consumed_bytes) : Taken{.bytes = progress->consumed_bytes};
}

/// Holds the next bytes of the body to the body that is expected.
void AnswerReader::judge(std::string_view body) noexcept {
  if (expect_->body && !body_wrong_) {
    const std::string_view want = *expect_->body;
    body_wrong_ = body_bytes_ + body.size() > want.size() || want.substr(body_bytes_, body.size()) != body;
  }
  body_bytes_ += body.size();
}

Taken AnswerReader::finish(std::size_t bytes) {
  step_ = Step::head;
  Taken taken{.bytes = bytes, .whole = true, .last = last_, .status = status_};
  if (!expect_->statuses[status_]) [[unlikely]] {
    taken.fault = fmt::format("status {}", status_);
  } else if (expect_->body_bytes && *expect_->body_bytes != body_bytes_) [[unlikely]] {
    taken.fault = fmt::format("a body of {} bytes, not {}", body_bytes_, *expect_->body_bytes);
  } else if (expect_->body && (body_wrong_ || body_bytes_ != expect_->body->size())) [[unlikely]] {
    taken.fault = fmt::format("a body of {} bytes that is not the one expected", body_bytes_);
  }
  return taken;
}

Taken AnswerReader::close() { return step_ == Step::until_close ? finish(0) : Taken{}; }

void AnswerReader::reset() noexcept {
  step_ = Step::head;
  carry_.clear();
  interim_ = 0;
}

}  // namespace millrace::bench
