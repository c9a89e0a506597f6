#include <zlib.h>

#include <algorithm>
#include <limits>

#include "engine/base/assert.hpp"
#include "engine/ext/compress/codings.hpp"

namespace millrace::coding {
namespace {

constexpr int window_bits = 15 + 16;  // 32 KiB; 16 asks for gzip's own header.
constexpr int memory_level = 8;

int flush_of(Flush flush) noexcept {
  switch (flush) {
    case Flush::none: return Z_NO_FLUSH;
    case Flush::part: return Z_SYNC_FLUSH;
    case Flush::end: return Z_FINISH;
  }
  MR_UNREACHABLE("a flush outside the enumeration");
}

class Gzip final : public Encoder {
 public:
  Gzip() = default;
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;
  ~Gzip() override { ::deflateEnd(&stream_); }

  bool begin(int level) noexcept {
    return ::deflateInit2(&stream_, level, Z_DEFLATED, window_bits, memory_level, Z_DEFAULT_STRATEGY) == Z_OK;
  }
  bool reset() override { return ::deflateReset(&stream_) == Z_OK; }

  bool write(std::string_view bytes, Flush flush, std::string& out) override {
    do {  // zlib counts in 32 bits.
      const auto taken =
          static_cast<uInt>(std::min<std::size_t>(bytes.size(), std::numeric_limits<uInt>::max()));
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // Only read.
      stream_.avail_in = taken;
      bytes.remove_prefix(taken);
      if (!drain(bytes.empty() ? flush_of(flush) : Z_NO_FLUSH, out)) return false;
    } while (!bytes.empty());
    return true;
  }

 private:
  bool drain(int flush, std::string& out) {
    do {
      const std::size_t before = out.size();
      out.resize(before + step_bytes);
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + before);
      stream_.avail_out = step_bytes;
      const int result = ::deflate(&stream_, flush);
      out.resize(before + step_bytes - stream_.avail_out);
      // Z_BUF_ERROR: there was nothing to do.
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return false;
    } while (stream_.avail_out == 0);
    MR_ASSERT(stream_.avail_in == 0);
    return true;
  }

  z_stream stream_{};
};

}  // namespace

std::unique_ptr<Encoder> make_gzip(const Levels& levels) {
  auto encoder = std::make_unique<Gzip>();
  if (!encoder->begin(levels.gzip)) return nullptr;
  return encoder;
}

}  // namespace millrace::coding
