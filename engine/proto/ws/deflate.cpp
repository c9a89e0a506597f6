#include "engine/proto/ws/deflate.hpp"

#include <algorithm>

#include "engine/base/assert.hpp"
#include "engine/proto/ws/utf8.hpp"

namespace millrace::ws {
namespace {

constexpr int level = 1;  // A message a time, on the way of every other connection: speed before ratio.
/// An empty block ends what is flushed; the wire goes without it (section 7.2.1).
constexpr std::string_view flush_mark{"\x00\x00\xff\xff", 4};
constexpr std::size_t step_bytes = 1024;

const Bytef* bytes_of(std::string_view text) noexcept { return reinterpret_cast<const Bytef*>(text.data()); }

/// The stream's output goes to the room that `out` has, at most to bytes_max in all.
bool give_room(z_stream& stream, mem::BlockPool& pool, Bytes& out, std::size_t bytes_max) noexcept {
  const std::size_t more = std::min(std::max(step_bytes, out.size()), bytes_max - out.size());
  char* to = out.room(pool, more);
  if (to == nullptr) return false;
  stream.next_out = reinterpret_cast<Bytef*>(to);
  stream.avail_out = static_cast<uInt>(more);
  return true;
}

}  // namespace

void DeflateMemory::attach(z_stream& stream) noexcept {
  stream.zalloc = take;
  stream.zfree = give;
  stream.opaque = this;
}

void* DeflateMemory::take(void* self, unsigned items, unsigned size) noexcept {
  auto& memory = *static_cast<DeflateMemory*>(self);
  const auto free =
      std::find_if(memory.blocks_.begin(), memory.blocks_.end(), [](mem::Block b) { return !b; });
  MR_ASSERT(free != memory.blocks_.end());
  *free = memory.pool_.take(std::size_t{items} * size);
  return free->data;
}

void DeflateMemory::give(void* self, void* address) noexcept {
  auto& memory = *static_cast<DeflateMemory*>(self);
  for (mem::Block& block : memory.blocks_) {
    if (!block || block.data != address) continue;
    memory.pool_.give(block);
    block = {};
    return;
  }
  MR_UNREACHABLE("zlib gives back what it did not take");
}

Deflater::Deflater(mem::BlockPool& pool, unsigned window_bits) noexcept : memory_(pool) {
  memory_.attach(stream_);
  const int bits = static_cast<int>(window_bits);
  ready_ = deflateInit2(&stream_, level, Z_DEFLATED, -bits, bits - 7, Z_DEFAULT_STRATEGY) == Z_OK;
}

Deflater::~Deflater() {
  if (ready_) deflateEnd(&stream_);
}

bool Deflater::compress(std::string_view message, bool keep_context, mem::BlockPool& pool,
                        Bytes& out) noexcept {
  MR_ASSERT(ready_ && !message.empty());
  const std::size_t before = out.size();
  stream_.next_in = bytes_of(message);
  stream_.avail_in = static_cast<uInt>(message.size());
  do {
    if (!give_room(stream_, pool, out, ~std::size_t{0})) {
      deflateReset(&stream_);
      return false;
    }
    const uInt room = stream_.avail_out;
    const int status = deflate(&stream_, Z_SYNC_FLUSH);
    MR_ASSERT(status == Z_OK || status == Z_BUF_ERROR);  // Nothing left to flush, where the room was exact.
    out.commit(room - stream_.avail_out);
  } while (stream_.avail_out == 0);
  MR_ASSERT(out.size() - before >= flush_mark.size() && out.view().ends_with(flush_mark));
  out.uncommit(flush_mark.size());
  if (!keep_context) deflateReset(&stream_);
  return true;
}

Inflater::Inflater(mem::BlockPool& pool, unsigned window_bits) noexcept : memory_(pool) {
  memory_.attach(stream_);
  ready_ = inflateInit2(&stream_, -static_cast<int>(window_bits)) == Z_OK;
}

Inflater::~Inflater() {
  if (ready_) inflateEnd(&stream_);
}

InflateOutcome Inflater::run(std::string_view input, Content content, std::size_t bytes_max,
                             mem::BlockPool& pool, Bytes& out) noexcept {
  stream_.next_in = bytes_of(input);
  stream_.avail_in = static_cast<uInt>(input.size());
  for (;;) {
    // One byte past the limit shows that there is more; it is never given to anybody.
    if (!give_room(stream_, pool, out, bytes_max + 1)) return InflateOutcome::no_memory;
    const uInt room = stream_.avail_out;
    const int status = inflate(&stream_, Z_SYNC_FLUSH);
    out.commit(room - stream_.avail_out);
    if (out.size() > bytes_max) return InflateOutcome::too_large;
    if (content == Content::text) checked_ = check_utf8(out.view(), checked_);
    if (checked_ == not_utf8) return InflateOutcome::bad;
    if (status == Z_MEM_ERROR) return InflateOutcome::no_memory;
    if (status == Z_STREAM_END) {
      inflateReset(&stream_);  // A block marked as the last one: allowed, and others may follow (7.2.3.4).
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      return InflateOutcome::bad;
    } else if (stream_.avail_out != 0) {
      MR_ASSERT(stream_.avail_in == 0);
      return InflateOutcome::done;
    }
  }
}

InflateOutcome Inflater::expand(std::string_view payload, Content content, bool keep_context,
                                std::size_t bytes_max, mem::BlockPool& pool, Bytes& out) noexcept {
  MR_ASSERT(ready_);
  MR_ASSERT(out.size() == 0);
  checked_ = 0;
  InflateOutcome outcome = run(payload, content, bytes_max, pool, out);
  if (outcome == InflateOutcome::done) outcome = run(flush_mark, content, bytes_max, pool, out);
  constexpr int between_blocks = 128;  // inflate()'s remark in data_type.
  if (outcome == InflateOutcome::done && (stream_.data_type & between_blocks) == 0)
    outcome = InflateOutcome::bad;
  const bool cut = content == Content::text && checked_ != out.size();  // Within a character.
  if (outcome == InflateOutcome::done && cut) outcome = InflateOutcome::bad;
  if (!keep_context || outcome != InflateOutcome::done) inflateReset(&stream_);
  return outcome;
}

}  // namespace millrace::ws
