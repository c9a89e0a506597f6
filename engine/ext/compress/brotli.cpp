#include <brotli/encode.h>

#include "engine/base/assert.hpp"
#include "engine/ext/compress/codings.hpp"

namespace millrace::coding {
namespace {

constexpr std::uint32_t window_bits = 18;  // 256 KiB: what a reply rarely exceeds, and memory follows.

BrotliEncoderOperation operation_of(Flush flush) noexcept {
  switch (flush) {
    case Flush::none: return BROTLI_OPERATION_PROCESS;
    case Flush::part: return BROTLI_OPERATION_FLUSH;
    case Flush::end: return BROTLI_OPERATION_FINISH;
  }
  MR_UNREACHABLE("a flush outside the enumeration");
}

struct Destroy {
  void operator()(BrotliEncoderState* state) const noexcept { ::BrotliEncoderDestroyInstance(state); }
};

class Brotli final : public Encoder {
 public:
  explicit Brotli(int quality) noexcept : quality_(static_cast<std::uint32_t>(quality)) {}

  // The library has no way to begin anew.
  bool reset() override {
    state_.reset(::BrotliEncoderCreateInstance(nullptr, nullptr, nullptr));
    return state_ != nullptr &&
           ::BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_QUALITY, quality_) != 0 &&
           ::BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_LGWIN, window_bits) != 0;
  }

  bool write(std::string_view bytes, Flush flush, std::string& out) override {
    const auto* in = reinterpret_cast<const std::uint8_t*>(bytes.data());
    std::size_t left = bytes.size();
    do {
      std::size_t none = 0;
      if (::BrotliEncoderCompressStream(state_.get(), operation_of(flush), &left, &in, &none, nullptr,
                                        nullptr) == 0)
        return false;
      std::size_t size = 0;  // Any.
      const std::uint8_t* const made = ::BrotliEncoderTakeOutput(state_.get(), &size);
      out.append(reinterpret_cast<const char*>(made), size);
    } while (left != 0 || ::BrotliEncoderHasMoreOutput(state_.get()) != 0);
    return true;
  }

 private:
  std::unique_ptr<BrotliEncoderState, Destroy> state_;
  std::uint32_t quality_;
};

}  // namespace

std::unique_ptr<Encoder> make_brotli(const Levels& levels) {
  auto encoder = std::make_unique<Brotli>(levels.brotli);
  if (!encoder->reset()) return nullptr;
  return encoder;
}

}  // namespace millrace::coding
