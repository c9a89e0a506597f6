// differential.cpp: the kernel's verdict held against the strict path's, on every head.

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>

#include "engine/http/head_parser.hpp"

namespace millrace::http {

namespace {

void print_head(const char* who, const Head& head) noexcept {
  std::fprintf(stderr, "%s: size %u method %u target %u+%u, plain %u, minor %u fields %u\n", who, head.size,
               head.method_size, head.target_at, head.target_size, head.plain_size, head.version_minor,
               head.field_count);
  for (unsigned i = 0; i < head.field_count; ++i) {
    const Field& field = head.fields[i];
    std::fprintf(stderr, "  name %u+%u value %u+%u\n", field.name_at, field.name_size, field.value_at,
                 field.value_size);
  }
}

void print_hex(const char* data, std::size_t size) noexcept {
  for (std::size_t line = 0; line < size; line += 16) {
    std::fprintf(stderr, "%05zx ", line);
    for (std::size_t at = line; at < size && at < line + 16; ++at) {
      std::fprintf(stderr, " %02x", static_cast<unsigned>(static_cast<unsigned char>(data[at])));
    }
    std::fputc('\n', stderr);
  }
}

}  // namespace

void require_agreement(const char* data, std::size_t size, const HeadLimits& limits,
                       const Head& head) noexcept {
  const std::unique_ptr<Field[]> fields(new (std::nothrow) Field[limits.fields_max]);
  MR_ASSERT(fields != nullptr);
  Head strict;
  strict.fields = fields.get();
  strict.fields_max = limits.fields_max;
  const Error error = parse_head_strict(data, size, limits, strict);
  if (!error.failed() && same_head(head, strict)) return;
  std::fprintf(stderr, "tokenizer disagreement: the kernel accepts, the strict path says %s\n",
               error.failed() ? name_of(error.code) : "other spans");
  print_head("kernel", head);
  if (!error.failed()) print_head("strict", strict);
  print_hex(head.base, head.size);
  std::abort();
}

}  // namespace millrace::http
