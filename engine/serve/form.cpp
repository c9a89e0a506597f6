// form.cpp: reads a whole body as a form. Source: WHATWG URL (urlencoded), RFC 7578 (multipart).
#include <millrace/form.hpp>

#include <algorithm>
#include <cstring>

#include "engine/base/assert.hpp"
#include "engine/http/multipart.hpp"
#include "engine/http/target.hpp"
#include "engine/serve/form_refusal.hpp"

namespace millrace {

struct FormData::Access {
  static std::vector<Field>& fields(FormData& form) noexcept { return form.fields_; }
  static std::vector<FormFile>& files(FormData& form) noexcept { return form.files_; }
  static char* decoded(FormData& form, std::string_view raw) {
    form.decoded_ = std::make_unique<char[]>(raw.size());
    std::memcpy(form.decoded_.get(), raw.data(), raw.size());
    return form.decoded_.get();
  }
};

namespace detail {
namespace {

using Access = FormData::Access;

/// Decodes in place. False on a malformed escape.
bool decode(char* begin, char* end, std::string_view& out) noexcept {
  const std::size_t size = http::percent_decode(begin, static_cast<std::size_t>(end - begin), true);
  if (size == std::string_view::npos) return false;
  out = {begin, size};
  return true;
}

bool decode_pair(char* begin, char* end, FormData::Field& field) {
  char* const equals = std::find(begin, end, '=');
  std::string_view name;
  if (!decode(begin, equals, name)) return false;
  field.name = name;
  return equals == end || decode(equals + 1, end, field.value);
}

bool read_urlencoded(std::string_view body, const FormLimits& limits, FormData& out, Refusal& refusal) {
  if (body.empty()) return true;
  char* at = Access::decoded(out, body);
  char* const end = at + body.size();
  while (at < end) {
    char* const next = std::find(at, end, '&');
    if (next != at) {
      if (out.fields().size() == limits.fields_max)
        return refuse_form(refusal, 413, "it has too many fields");
      FormData::Field& field = Access::fields(out).emplace_back();
      if (!decode_pair(at, next, field)) return refuse_form(refusal, 400, "malformed escape");
    }
    at = next == end ? end : next + 1;
  }
  return true;
}

void add_part(const http::PartHead& head, std::string_view data, FormData& out) {
  if (!head.filename) {
    Access::fields(out).push_back({head.name, data});
  } else if (!head.filename->empty() || !data.empty()) {
    Access::files(out).push_back({head.name, *head.filename, head.content_type, data});
  }
}

bool read_multipart(std::string_view content_type, std::string_view body, const FormLimits& limits,
                    FormData& out, Refusal& refusal) {
  std::string boundary;
  if (!http::read_boundary(content_type, boundary)) return refuse_form(refusal, 400, bad_boundary);
  http::MultipartParser parser(boundary, {limits.fields_max, limits.part_head_bytes_max});
  std::string_view data;
  for (;;) {
    auto event = parser.next(body);
    if (!event) return refuse_form(refusal, event.error().status, parser.problem());
    const http::MultipartEvent got = event.value();
    switch (got.step) {
      case http::MultipartStep::part: data = {}; break;
      case http::MultipartStep::data:
        MR_ASSERT(data.empty());  // The body is one piece, so a part's data is.
        data = got.data;
        break;
      case http::MultipartStep::part_end: add_part(parser.head(), data, out); break;
      case http::MultipartStep::end: return true;
      case http::MultipartStep::need_more: {
        const Error error = parser.finish();
        return refuse_form(refusal, error.status, parser.problem());
      }
    }
  }
}

}  // namespace

bool read_form(std::string_view content_type, std::string_view body, const FormLimits& limits, FormData& out,
               Refusal& refusal) {
  const std::string_view type = http::value_before_parameters(content_type);
  if (http::equal_ignoring_case(type, "application/x-www-form-urlencoded"))
    return read_urlencoded(body, limits, out, refusal);
  if (is_multipart(content_type)) return read_multipart(content_type, body, limits, out, refusal);
  return refuse_form(refusal, 415,
                     "expected the Content-Type application/x-www-form-urlencoded or multipart/form-data");
}

}  // namespace detail
}  // namespace millrace
