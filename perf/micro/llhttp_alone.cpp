#include "perf/micro/llhttp_alone.hpp"

#include <llhttp.h>

namespace bench {

namespace {

struct Spans {
  const char* at[256];
  std::size_t bytes[256];
  unsigned count = 0;
};

int on_span(llhttp_t* parser, const char* at, std::size_t bytes) {
  auto* spans = static_cast<Spans*>(parser->data);
  spans->at[spans->count & 255] = at;
  spans->bytes[spans->count++ & 255] = bytes;
  return 0;
}
int on_headers_complete(llhttp_t*) { return HPE_PAUSED; }

constexpr llhttp_settings_t make_settings() {
  llhttp_settings_t settings{};
  settings.on_url = on_span;
  settings.on_header_field = on_span;
  settings.on_header_value = on_span;
  settings.on_headers_complete = on_headers_complete;
  return settings;
}
constexpr llhttp_settings_t settings = make_settings();

}  // namespace

unsigned llhttp_alone(const char* data, std::size_t size) {
  Spans spans;
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  parser.data = &spans;
  return llhttp_execute(&parser, data, size) == HPE_PAUSED ? spans.count : 0;
}

}  // namespace bench
