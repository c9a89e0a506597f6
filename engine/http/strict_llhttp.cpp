// strict_llhttp.cpp: llhttp as a second, independent reader of a head.
//
// llhttp 8 refuses methods it does not know and versions above 1.1, which RFC 9110 sections 9.1 and
// 6.2 ask to be told apart or served; it is fed a canonical one in their place, and every other byte
// as it came.
#include <llhttp.h>

#include "engine/http/strict.hpp"

namespace millrace::http {

namespace {

/// What llhttp reported, compared as it comes.
struct Witness {
  const Head* head;
  unsigned field_count = 0;
  std::size_t target_bytes = 0;
  bool same = true;
};

Witness& witness_of(llhttp_t* parser) noexcept { return *static_cast<Witness*>(parser->data); }

int on_target(llhttp_t* parser, const char*, std::size_t bytes) {
  witness_of(parser).target_bytes += bytes;
  return 0;
}

int on_name(llhttp_t* parser, const char* at, std::size_t bytes) {
  Witness& witness = witness_of(parser);
  const Head& head = *witness.head;
  if (witness.field_count >= head.field_count) {
    witness.same = false;
    return 0;
  }
  const std::string_view name = head.name(head.fields[witness.field_count]);
  witness.same = witness.same && name.data() == at && name.size() == bytes;
  return 0;
}

int on_value(llhttp_t* parser, const char* at, std::size_t bytes) {
  Witness& witness = witness_of(parser);
  const Head& head = *witness.head;
  if (bytes == 0 || witness.field_count >= head.field_count) return 0;
  // llhttp leaves the white space behind a value in it.
  const std::string_view value = head.value(head.fields[witness.field_count]);
  witness.same = witness.same && (value.empty() || value.data() == at) && bytes >= value.size();
  return 0;
}

int on_value_complete(llhttp_t* parser) {
  ++witness_of(parser).field_count;
  return 0;
}

int on_headers_complete(llhttp_t*) { return HPE_PAUSED; }  // The body is not llhttp's to read.

constexpr llhttp_settings_t make_settings() noexcept {
  llhttp_settings_t settings{};
  settings.on_url = on_target;
  settings.on_header_field = on_name;
  settings.on_header_value = on_value;
  settings.on_header_value_complete = on_value_complete;
  settings.on_headers_complete = on_headers_complete;
  return settings;
}
constexpr llhttp_settings_t settings = make_settings();

bool is_about_framing(llhttp_errno_t code) noexcept {
  return code == HPE_UNEXPECTED_CONTENT_LENGTH || code == HPE_INVALID_CONTENT_LENGTH ||
         code == HPE_INVALID_TRANSFER_ENCODING;
}

}  // namespace

bool llhttp_agrees(const Head& head) noexcept {
  Witness witness{&head};
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  parser.data = &witness;
  llhttp_errno_t verdict = HPE_OK;
  const auto feed = [&parser, &verdict](std::string_view bytes) {
    if (verdict == HPE_OK) verdict = llhttp_execute(&parser, bytes.data(), bytes.size());
  };
  const std::size_t version_at = std::size_t{head.target_at} + head.target_size + 1;
  const std::size_t version_end = version_at + 8;
  feed(head.method == Method::other ? std::string_view("GET") : head.method_text());
  feed({head.base + head.method_size, version_at - head.method_size});
  feed(head.version_minor == 0 ? "HTTP/1.0" : "HTTP/1.1");
  feed({head.base + version_end, head.size - version_end});
  if (is_about_framing(verdict)) return true;
  return verdict == HPE_PAUSED && witness.same && witness.field_count == head.field_count &&
         witness.target_bytes == head.target_size;
}

}  // namespace millrace::http
