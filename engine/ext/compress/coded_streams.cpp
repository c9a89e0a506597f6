#include "engine/ext/compress/coded_streams.hpp"

#include <string>
#include <utility>

#include "engine/base/assert.hpp"

namespace millrace::coding {
namespace {

/// Each part that is pushed is coded and flushed; Exchange::unsent is a view of what came out, which stays until
/// all of it was taken, and so until the next part.
class CodedStreams final : public proto::Streams, public proto::Attachment {
 public:
  CodedStreams(proto::Streams& inner, std::unique_ptr<Encoder> encoder) noexcept
      : inner_(inner), encoder_(std::move(encoder)) {}

  void begin(proto::Exchange& exchange, const proto::ReplyView& head) noexcept override {
    left_ = head.source_bytes;
    proto::ReplyView coded = head;
    coded.source_bytes = proto::length_unknown;
    inner_.begin(exchange, coded);
  }

  bool push(proto::Exchange& exchange) noexcept override {
    const std::string_view part = exchange.unsent;
    exchange.unsent = {};
    if (left_ != proto::length_unknown) {
      if (part.size() > left_) return false;
      left_ -= part.size();
    }
    if (part.empty()) return true;
    code(exchange, part, Flush::part);
    return failed_ || inner_.push(exchange);
  }

  bool trailer(proto::Exchange& exchange, std::string_view line) noexcept override {
    if (exchange.head.version_minor == 0) return false;  // No chunks, no trailers: content may still follow.
    finish(exchange);
    return failed_ || inner_.trailer(exchange, line);
  }

  // A handler that wrote less than it declared made a mistake, and its client must see it.
  void end(proto::Exchange& exchange) noexcept override {
    const bool is_short =
        left_ != proto::length_unknown && left_ != 0 && exchange.head.method != http::Method::head;
    if (is_short) return inner_.cut(exchange);
    finish(exchange);
    if (!failed_) inner_.end(exchange);
  }

  void cut(proto::Exchange& exchange) noexcept override { inner_.cut(exchange); }
  proto::BodyPart next(proto::Exchange& exchange) noexcept override { return inner_.next(exchange); }
  Errc collect(proto::Exchange& exchange) noexcept override { return inner_.collect(exchange); }
  bool switch_protocols(proto::Exchange&, std::string_view, proto::Successor&, void*) noexcept override {
    MR_UNREACHABLE("a request whose reply is streamed does not switch");
  }

 private:
  void code(proto::Exchange& exchange, std::string_view part, Flush flush) noexcept {
    MR_ASSERT(exchange.unsent.empty());
    coded_.clear();
    failed_ = !encoder_->write(part, flush, coded_);
    if (failed_) return inner_.cut(exchange);
    exchange.unsent = coded_;
  }

  // What the coding ends with: a few bytes, because each part was flushed. Taken with the end itself.
  void finish(proto::Exchange& exchange) noexcept {
    if (!std::exchange(finished_, true)) code(exchange, {}, Flush::end);
  }

  proto::Streams& inner_;
  std::unique_ptr<Encoder> encoder_;
  std::string coded_;
  std::uint64_t left_ = proto::length_unknown;  ///< Of the declared length, before coding.
  bool finished_ = false;
  bool failed_ = false;
};

}  // namespace

void code_streams(proto::Exchange& exchange, std::unique_ptr<Encoder> encoder) {
  MR_ASSERT(exchange.streams != nullptr && exchange.stream == proto::StreamState::none);
  auto coded = std::make_unique<CodedStreams>(*exchange.streams, std::move(encoder));
  exchange.streams = coded.get();
  exchange.attachment = std::move(coded);
}

}  // namespace millrace::coding
