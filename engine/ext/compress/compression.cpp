// compression.cpp: mr::compress(): chooses a coding for a reply, and puts an encoder into its way.
#include <millrace/middleware/compress.hpp>
#include <millrace/reply.hpp>
#include <millrace/request.hpp>

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "engine/ext/compress/coded_source.hpp"
#include "engine/ext/compress/coded_streams.hpp"
#include "engine/ext/compress/encoder.hpp"
#include "engine/ext/compress/policy.hpp"
#include "engine/http/framing.hpp"
#include "engine/proto/exchange.hpp"

namespace millrace {
namespace coding {
namespace {

Facts facts_of(const Reply& reply, const proto::ReplyView& view, bool streamed) {
  Facts facts{
      .status = reply.status(),
      .content_type = reply.content_type(),
      .content_encoding = reply.header("content-encoding"),
      .cache_control = reply.header("cache-control"),
      .has_digest = reply.header("content-digest") || reply.header("digest") || reply.header("content-md5")};
  if (reply.body_in_memory()) {
    facts.body_bytes = view.body.size();
  } else if (!streamed && view.source_bytes != proto::length_unknown) {
    facts.body_bytes = view.source_bytes;
  }
  return facts;
}

http::Coding coding_for(const http::Head& head) noexcept {
  http::AcceptedCodings accepted;
  for (std::size_t i = 0; i < head.field_count; ++i) {
    const http::Field& field = head.fields[i];
    if (http::equal_ignoring_case(head.name(field), "accept-encoding")) accepted.add(head.value(field));
    if (http::equal_ignoring_case(head.name(field), "cache-control") &&
        http::list_has(head.value(field), "no-transform"))
      return http::Coding::identity;
  }
  return choose(accepted);
}

/// One a coding and thread, for bodies in memory: begun anew for each. Levels are of who came first.
Encoder* kept_encoder(http::Coding coding, const Levels& levels) {
  struct Kept {
    std::unique_ptr<Encoder> encoder;
    Levels levels;
  };
  thread_local std::array<Kept, http::coding_count> kept;
  Kept& one = kept[static_cast<std::size_t>(coding)];
  const bool fits = one.encoder != nullptr && one.levels == levels;
  if (!fits) one = {make_encoder(coding, levels), levels};
  if (one.encoder == nullptr || !one.encoder->reset()) one.encoder.reset();
  return one.encoder.get();
}

void mark(Reply& reply, http::Coding coding) {
  reply.header("Content-Encoding", http::name_of(coding));
  if (const auto etag = reply.header("etag")) reply.set_header("ETag", weakened(*etag));
}

}  // namespace
}  // namespace coding

void Compression::after(Request& request, Reply& reply) const {
  using namespace coding;
  proto::Exchange& exchange = request.exchange();
  proto::ReplyView& view = reply.view_;
  const bool in_memory = reply.body_in_memory();
  const Facts facts = facts_of(reply, view, reply.streamed_);
  if (!may_compress(facts, options_.bytes_min, options_.types)) return;
  if (!varies_by_coding(reply.header("vary").value_or(""))) reply.header("Vary", "Accept-Encoding");
  const http::Coding coding = coding_for(exchange.head);
  if (coding == http::Coding::identity || facts.body_bytes.value_or(0) > options_.bytes_max) return;
  const Levels levels{.gzip = options_.gzip, .brotli = options_.brotli, .zstd = options_.zstd};

  if (in_memory) {
    std::string coded;
    Encoder* const encoder = kept_encoder(coding, levels);
    if (encoder == nullptr || !encoder->write(view.body, Flush::end, coded))
      return;  // Uncompressed is right too.
    if (coded.size() >= view.body.size()) return;
    reply.body(std::move(coded));
    return mark(reply, coding);
  }
  std::unique_ptr<Encoder> encoder = make_encoder(coding, levels);
  if (encoder == nullptr) return;
  if (reply.streamed_) {
    code_streams(exchange, std::move(encoder));
  } else {
    view.source = make_coded_source(view.source, view.source_bytes, std::move(encoder));
    view.source_bytes = proto::length_unknown;
  }
  mark(reply, coding);
}

}  // namespace millrace
