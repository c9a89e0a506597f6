#include "engine/ext/compress/coded_source.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

namespace millrace::coding {
namespace {

constexpr std::size_t read_bytes = 32 * 1024;

class CodedSource final : public proto::BodySource {
 public:
  CodedSource(proto::BodySource* inner, std::uint64_t inner_bytes, std::unique_ptr<Encoder> encoder) noexcept
      : inner_(inner), left_(inner_bytes), encoder_(std::move(encoder)) {}

  Result<std::size_t> read(std::span<char> out) noexcept override {
    while (at_ == coded_.size()) {
      if (ended_) return std::size_t{0};
      coded_.clear();
      at_ = 0;
      if (const Error error = encode_more(); error.failed()) return error;
    }
    const std::size_t size = std::min(out.size(), coded_.size() - at_);
    std::memcpy(out.data(), coded_.data() + at_, size);
    at_ += size;
    return size;
  }

  void release() noexcept override {
    inner_->release();
    delete this;
  }

 private:
  Error encode_more() noexcept {
    std::array<char, read_bytes> bytes;
    std::size_t size = 0;
    if (left_ != 0) {
      const Result<std::size_t> got = inner_->read(
          {bytes.data(), static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), left_))});
      if (!got) return got.error();
      size = Result(got).value();
      if (left_ != proto::length_unknown) left_ -= size;
    }
    ended_ = left_ == 0 || size == 0;
    const bool written = encoder_->write({bytes.data(), size}, ended_ ? Flush::end : Flush::none, coded_);
    return written ? Error{} : Error{Errc::limit_reached, 503};
  }

  proto::BodySource* inner_;
  std::uint64_t left_;
  std::unique_ptr<Encoder> encoder_;
  std::string coded_;
  std::size_t at_ = 0;  ///< Of coded_, what was given.
  bool ended_ = false;
};

}  // namespace

proto::BodySource* make_coded_source(proto::BodySource* inner, std::uint64_t inner_bytes,
                                     std::unique_ptr<Encoder> encoder) {
  return new CodedSource(inner, inner_bytes, std::move(encoder));
}

}  // namespace millrace::coding
