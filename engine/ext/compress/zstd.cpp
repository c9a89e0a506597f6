#include <zstd.h>

#include "engine/base/assert.hpp"
#include "engine/ext/compress/codings.hpp"

namespace millrace::coding {
namespace {

constexpr int window_bits = 18;  // 256 KiB; RFC 9659 lets clients refuse more than 8 MiB.

ZSTD_EndDirective directive_of(Flush flush) noexcept {
  switch (flush) {
    case Flush::none: return ZSTD_e_continue;
    case Flush::part: return ZSTD_e_flush;
    case Flush::end: return ZSTD_e_end;
  }
  MR_UNREACHABLE("a flush outside the enumeration");
}

struct Free {
  void operator()(ZSTD_CCtx* context) const noexcept { ::ZSTD_freeCCtx(context); }
};

class Zstd final : public Encoder {
 public:
  Zstd() noexcept : context_(::ZSTD_createCCtx()) {}

  bool begin(int level) noexcept {
    return context_ != nullptr &&
           good(::ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level)) &&
           good(::ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_windowLog, window_bits));
  }
  bool reset() override { return good(::ZSTD_CCtx_reset(context_.get(), ZSTD_reset_session_only)); }

  bool write(std::string_view bytes, Flush flush, std::string& out) override {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    for (bool done = false; !done;) {
      const std::size_t before = out.size();
      out.resize(before + step_bytes);
      ZSTD_outBuffer made{out.data() + before, step_bytes, 0};
      const std::size_t left = ::ZSTD_compressStream2(context_.get(), &made, &in, directive_of(flush));
      out.resize(before + made.pos);
      if (!good(left)) return false;
      done = flush == Flush::none ? in.pos == in.size : left == 0;
    }
    MR_ASSERT(in.pos == in.size);
    return true;
  }

 private:
  static bool good(std::size_t result) noexcept { return ::ZSTD_isError(result) == 0; }

  std::unique_ptr<ZSTD_CCtx, Free> context_;
};

}  // namespace

std::unique_ptr<Encoder> make_zstd(const Levels& levels) {
  auto encoder = std::make_unique<Zstd>();
  if (!encoder->begin(levels.zstd)) return nullptr;
  return encoder;
}

}  // namespace millrace::coding
