#include "engine/ext/files/reply.hpp"

#include <array>
#include <optional>
#include <utility>

#include <fmt/compile.h>
#include <fmt/format.h>

#include "engine/base/assert.hpp"
#include "engine/ext/files/multipart.hpp"
#include "engine/ext/files/scratch.hpp"
#include "engine/ext/files/source.hpp"
#include "engine/http/conditional.hpp"
#include "engine/http/framing.hpp"
#include "engine/proto/exchange.hpp"
#include "engine/serve/answer.hpp"
#include "engine/serve/app_state.hpp"

namespace millrace::files {
namespace {

using proto::Exchange;

/// The request's fields that a file's answer depends on; the first of each name counts.
struct Asked {
  http::Conditions conditions;
  std::optional<std::string_view> range;
  bool anything = false;
};

/// The member for a name; by its length first, because nearly every field is another one.
std::optional<std::string_view>* place_of(Asked& asked, std::string_view name) noexcept {
  const auto is = [name](std::string_view word) { return http::equal_ignoring_case(name, word); };
  switch (name.size()) {
    case 5: return is("range") ? &asked.range : nullptr;
    case 8:
      if (is("if-match")) return &asked.conditions.if_match;
      return is("if-range") ? &asked.conditions.if_range : nullptr;
    case 13: return is("if-none-match") ? &asked.conditions.if_none_match : nullptr;
    case 17: return is("if-modified-since") ? &asked.conditions.if_modified_since : nullptr;
    case 19: return is("if-unmodified-since") ? &asked.conditions.if_unmodified_since : nullptr;
    default: return nullptr;
  }
}

Asked read_fields(const http::Head& head) noexcept {
  Asked asked;
  for (std::size_t index = 0; index < head.field_count; ++index) {
    std::optional<std::string_view>* place = place_of(asked, head.name(head.fields[index]));
    if (place == nullptr || *place) continue;
    *place = head.value(head.fields[index]);
    asked.anything = true;
  }
  return asked;
}

const Representation& form_for(const http::Head& head, const Resource& resource) noexcept {
  http::AcceptedCodings accepted;
  for (std::size_t index = 0; index < head.field_count; ++index) {
    if (http::equal_ignoring_case(head.name(head.fields[index]), "accept-encoding"))
      accepted.add(head.value(head.fields[index]));
  }
  return choose(resource, accepted);
}

void reply_whole(Exchange& exchange, const Representation& form) noexcept {
  if (!form.file) return exchange.sink->reply_fixed(exchange, form.whole);
  const std::uint64_t size = form.facts.size_bytes;
  proto::BodySource* source = make_source({form.file, 0, size});
  if (source == nullptr) return refuse_busy(exchange.request);
  exchange.sink->reply_source(exchange, form.whole, *source, size);
}

void reply_range(Exchange& exchange, const Representation& form, const http::ByteRange& range) noexcept {
  std::array<char, 4 * described_bytes_max> fields;
  const auto end =
      fmt::format_to_n(fields.data(), fields.size(), FMT_COMPILE("{}Content-Range: bytes {}-{}/{}\r\n"),
                       form.fields, range.first, range.last, form.facts.size_bytes);
  MR_ASSERT(end.size <= fields.size());
  const std::uint64_t size = range.last - range.first + 1;
  proto::ReplyView view{.status = 206, .content_type = form.type, .fields = {fields.data(), end.size}};
  if (!form.file) {
    view.body = form.whole.body.substr(range.first, size);
  } else {
    view.source = make_source({form.file, range.first, size});
    view.source_bytes = size;
    if (view.source == nullptr) return refuse_busy(exchange.request);
  }
  exchange.sink->reply(exchange, view);
}

void reply_ranges(Exchange& exchange, const Representation& form, const http::RangeSet& set) noexcept {
  MultipartSource* source = MultipartSource::make(form, set);
  if (source == nullptr) return refuse_busy(exchange.request);
  const std::uint64_t size = source->size_bytes();
  proto::ReplyView view{.status = 206, .content_type = source->content_type(), .fields = form.fields};
  if (form.file) {
    view.source = source;
    view.source_bytes = size;
    return exchange.sink->reply(exchange, view);
  }
  // At most sixteen delimiters about a small file.
  const std::span<char> buffer = scratch();
  MR_ASSERT(buffer.empty() || size <= buffer.size());
  if (buffer.empty()) {
    source->release();
    return refuse_busy(exchange.request);
  }
  const Result<std::size_t> count = source->read(buffer);
  MR_ASSERT(count && count.value() == size);
  view.body = {buffer.data(), count.value()};
  exchange.sink->reply(exchange, view);
  source->release();
}

void reply_asked(Exchange& exchange, const Representation& form, const Asked& asked,
                 std::int64_t now_seconds) noexcept {
  const http::Validators validators{form.etag, form.modified_seconds};
  switch (http::evaluate(asked.conditions, validators, now_seconds)) {
    case http::Precondition::not_modified:
      return exchange.sink->reply(exchange, {.status = 304, .fields = form.validated});
    case http::Precondition::failed: return refuse(exchange.request, 412);
    case http::Precondition::proceed: break;
  }
  const bool get = exchange.head.method == http::Method::get;  // Of GET only: RFC 9110 section 14.2.
  if (!get || !asked.range || !http::range_applies(asked.conditions, validators, now_seconds))
    return reply_whole(exchange, form);
  http::RangeSet set;
  switch (http::read_ranges(*asked.range, form.facts.size_bytes, set)) {
    case http::RangeVerdict::ignore: return reply_whole(exchange, form);
    case http::RangeVerdict::partial:
      if (set.count > 1) return reply_ranges(exchange, form, set);
      return reply_range(exchange, form, set.ranges[0]);
    case http::RangeVerdict::unsatisfiable: {
      std::array<char, 64> line;
      const auto end = fmt::format_to_n(line.data(), line.size(),
                                        FMT_COMPILE("Content-Range: bytes */{}\r\n"), form.facts.size_bytes);
      return refuse(exchange.request, 416, {line.data(), end.size});
    }
  }
}

}  // namespace

void reply_resource(Request& request, const Resource& resource, std::int64_t now_seconds) noexcept {
  Exchange& exchange = request.exchange();
  const Representation& form = resource.varies() ? form_for(exchange.head, resource) : *resource.forms[0];
  const Asked asked = read_fields(exchange.head);
  if (asked.anything) return reply_asked(exchange, form, asked, now_seconds);
  reply_whole(exchange, form);
}

void refuse(Request& request, std::uint16_t status, std::string_view fields) noexcept {
  Exchange& exchange = request.exchange();
  MR_ASSERT(exchange.route != nullptr);
  const serve::Route& route = *static_cast<const serve::Route*>(exchange.route);
  serve::answer_error(exchange, *route.state, {.status = status, .fields = fields});
}

void refuse_busy(Request& request) noexcept { refuse(request, 503, "Retry-After: 1\r\n"); }

}  // namespace millrace::files
