// fuzz_ws_inflate.cpp: a compressed payload that anybody could have sent.
//
// Input       the first byte: bit 0 keeps the context, the rest chooses the window; then the payload.
// Property    never past the limit, whatever is sent; what was refused leaves no trace; what comes out, put
//             in again, comes out the same; as a text it is refused where it is no UTF-8, and for that alone; all
//             memory is given back.
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/assert.hpp"
#include "engine/proto/ws/deflate.hpp"
#include "engine/proto/ws/utf8.hpp"

namespace {

using namespace millrace;
using namespace millrace::ws;

constexpr std::size_t message_bytes_max = 64 << 10;

std::string expand(Inflater& inflater, mem::BlockPool& pool, std::string_view payload, bool keep,
                   InflateOutcome& outcome, Content content = Content::bytes) {
  Bytes out;
  outcome = inflater.expand(payload, content, keep, message_bytes_max, pool, out);
  MR_ASSERT(out.size() <= message_bytes_max + (outcome == InflateOutcome::too_large));
  std::string text(out.view());
  out.clear(pool);
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view payload(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool keep = (data[0] & 1) != 0;
  const unsigned bits = 9 + data[0] / 2 % 7;
  mem::BlockPool pool(8 << 20);
  {
    Inflater inflater(pool, bits);
    Deflater deflater(pool, bits);
    MR_ASSERT(inflater.ready() && deflater.ready());
    InflateOutcome outcome;
    const std::string text = expand(inflater, pool, payload, keep, outcome);
    Inflater judge(pool, bits);
    InflateOutcome as_text;
    const std::string judged = expand(judge, pool, payload, keep, as_text, Content::text);
    const bool good = outcome == InflateOutcome::done && check_utf8(text, 0) == text.size();
    MR_ASSERT((as_text == InflateOutcome::done) == good);
    MR_ASSERT(text.starts_with(judged));
    MR_ASSERT(good || as_text == outcome || as_text == InflateOutcome::bad);
    if (outcome != InflateOutcome::done || !keep) {
      MR_ASSERT(expand(inflater, pool, {"\xf2\x48\xcd\xc9\xc9\x07\x00", 7}, keep, outcome) == "Hello");
    }
    if (!text.empty() && text.size() <= message_bytes_max) {
      Bytes again;
      MR_ASSERT(deflater.compress(text, keep, pool, again));
      Inflater fresh(pool, bits);
      MR_ASSERT(expand(fresh, pool, again.view(), keep, outcome) == text);
      again.clear(pool);
    }
  }
  MR_ASSERT(pool.bytes_used() == 0);
  return 0;
}
