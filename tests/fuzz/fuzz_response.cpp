// fuzz_response.cpp: the head of a response and its framing.
//
// Property    a verdict on a prefix is the verdict on the whole; every span lies in the head, in order;
//             no field holds a control; a body that is framed by length has one.
#include <array>
#include <cstdint>
#include <string_view>

#include "engine/base/assert.hpp"
#include "engine/http/char_class.hpp"
#include "engine/http/response_head.hpp"

namespace {

using namespace millrace;
using namespace millrace::http;

struct Read {
  std::array<Field, 32> fields;
  ResponseHead head;
  Errc code;

  explicit Read(std::string_view bytes) {
    head.fields = fields.data();
    head.fields_max = static_cast<std::uint16_t>(fields.size());
    code = read_response_head(bytes, head).code;
  }
};

void check_spans(const ResponseHead& head, std::size_t size) {
  MR_ASSERT(head.size <= size);
  MR_ASSERT(head.status >= 100 && head.status <= 599);
  std::size_t at = head.reason_at + head.reason_size;
  for (std::size_t i = 0; i != head.field_count; ++i) {
    const Field& field = head.fields[i];
    MR_ASSERT(field.name_at == at + 2 || i != 0);
    MR_ASSERT(field.name_at > at && field.name_size != 0);
    MR_ASSERT(field.value_at > field.name_at + field.name_size - 1);
    at = field.value_at + field.value_size;
    MR_ASSERT(at < head.size);
    for (const char byte : head.name(field)) MR_ASSERT(is_class(byte, char_class::token));
    for (const char byte : head.value(field)) MR_ASSERT(!is_class(byte, char_class::control));
  }
}

void check_framing(const ResponseHead& head) {
  for (const Method method : {Method::get, Method::head, Method::connect}) {
    ResponseFraming framing;
    if (read_response_framing(head, method, framing).failed()) continue;
    MR_ASSERT((framing.body == ResponseBody::length) == (framing.content_length != 0));
    MR_ASSERT(framing.body != ResponseBody::until_close || !framing.keep_alive);
    MR_ASSERT(method != Method::head || framing.body == ResponseBody::none);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Read whole(bytes);
  for (std::size_t cut = 0; cut < size && cut < 512; ++cut) {
    const Read part(bytes.substr(0, cut));
    MR_ASSERT(part.code == Errc::need_more || part.code == whole.code);
    MR_ASSERT(part.code != Errc::ok || part.head.size == whole.head.size);
  }
  if (whole.code != Errc::ok) return 0;
  check_spans(whole.head, size);
  check_framing(whole.head);
  return 0;
}
