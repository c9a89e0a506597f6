// multipart_reader.cpp: the parser of http, with limits on the data, as mr::Multipart sees it.
#include <millrace/multipart.hpp>

#include "engine/http/multipart.hpp"
#include "engine/serve/form_refusal.hpp"

namespace millrace::detail {

struct MultipartReader {
  http::MultipartParser parser;
  MultipartLimits limits;
  std::uint64_t part_bytes = 0;
  std::uint64_t data_bytes = 0;
};

void MultipartReaderDelete::operator()(MultipartReader* reader) const noexcept { delete reader; }

MultipartReaderPointer multipart_open(std::string_view content_type, const MultipartLimits& limits,
                                      Refusal& refusal) {
  std::string boundary;
  if (!is_multipart(content_type)) {
    refuse_form(refusal, 415, "expected the Content-Type multipart/form-data");
  } else if (!http::read_boundary(content_type, boundary)) {
    refuse_form(refusal, 400, bad_boundary);
  } else {
    http::MultipartParser parser(boundary, {limits.parts_max, limits.part_head_bytes_max});
    return MultipartReaderPointer(new MultipartReader{std::move(parser), limits});
  }
  return nullptr;
}

PartEvent multipart_next(MultipartReader& reader, std::string_view& input, Refusal& refusal) {
  auto event = reader.parser.next(input);
  if (!event) {
    refuse_form(refusal, event.error().status, reader.parser.problem());
    return {PartStep::refused};
  }
  switch (event->step) {
    case http::MultipartStep::need_more: return {PartStep::need_more};
    case http::MultipartStep::part: reader.part_bytes = 0; return {PartStep::part};
    case http::MultipartStep::part_end: return {PartStep::part_end};
    case http::MultipartStep::end: return {PartStep::end};
    case http::MultipartStep::data: break;
  }
  reader.part_bytes += event->data.size();
  reader.data_bytes += event->data.size();
  if (reader.part_bytes > reader.limits.part_bytes_max || reader.data_bytes > reader.limits.data_bytes_max) {
    refuse_form(refusal, 413,
                reader.part_bytes > reader.limits.part_bytes_max ? "a part is too large" : "it is too large");
    return {PartStep::refused};
  }
  return {PartStep::data, event->data};
}

bool multipart_finish(MultipartReader& reader, Refusal& refusal) {
  const Error error = reader.parser.finish();
  return !error.failed() || refuse_form(refusal, error.status, reader.parser.problem());
}

std::string_view part_name(const MultipartReader& reader) noexcept { return reader.parser.head().name; }
std::optional<std::string_view> part_filename(const MultipartReader& reader) noexcept {
  return reader.parser.head().filename;
}
std::string_view part_content_type(const MultipartReader& reader) noexcept {
  return reader.parser.head().content_type;
}

}  // namespace millrace::detail
