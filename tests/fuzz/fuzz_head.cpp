// fuzz_head.cpp: every kernel against the strict path, and what is read from a head that was accepted.
//
// Property    where a kernel says complete, the strict path says ok with the same spans; where it says
//             incomplete, the strict path does not accept; an accepted head lies within its bytes.
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "engine/base/assert.hpp"
#include "engine/http/framing.hpp"
#include "engine/http/head_parser.hpp"
#include "engine/http/known_host.hpp"
#include "engine/http/target.hpp"
#include "engine/mem/block_pool.hpp"

namespace {

using namespace millrace;
using namespace millrace::http;

constexpr HeadLimits limits{.bytes_max = 4096, .fields_max = 32};

struct Parsed {
  Field fields[limits.fields_max];
  Head head;
  Parsed() noexcept {
    head.fields = fields;
    head.fields_max = limits.fields_max;
  }
};

bool same(const Parsed& a, const Parsed& b) {
  return a.head.base == b.head.base && a.head.size == b.head.size && a.head.method == b.head.method &&
         a.head.method_text() == b.head.method_text() && a.head.target() == b.head.target() &&
         a.head.version_minor == b.head.version_minor && a.head.field_count == b.head.field_count &&
         std::memcmp(a.fields, b.fields, a.head.field_count * sizeof(Field)) == 0;
}

void check_within(const Head& head, std::string_view bytes) {
  MR_ASSERT(head.base >= bytes.data());
  MR_ASSERT(head.base + head.size <= bytes.data() + bytes.size());
  MR_ASSERT(head.target_at + head.target_size <= head.size);
  for (unsigned i = 0; i < head.field_count; ++i) {
    const Field& field = head.fields[i];
    MR_ASSERT(field.name_size > 0);
    MR_ASSERT(field.name_at + field.name_size < field.value_at + field.value_size + 1);
    MR_ASSERT(field.value_at + field.value_size <= head.size);
    MR_ASSERT(head.value(field).find_first_of(std::string_view{"\r\n\0", 3}) == std::string_view::npos);
  }
}

// Returns bytes that a later stage may change, so it comes last.
void read_on(const Head& head, char* bytes) {
  Framing framing;
  Target target;
  KnownHost none;
  static KnownHost known;  // What other inputs left there must not change what is said of this one.
  const Error judged = read_framing(head, none, framing);
  MR_ASSERT(read_framing(head, known, framing) == judged);
  if (judged.failed()) return;
  MR_ASSERT(framing.body != BodyKind::length || framing.content_length > 0);
  if (read_target(head, bytes, target).failed()) return;
  MR_ASSERT(target.path.find('\0') == std::string_view::npos);
  MR_ASSERT(!target.path.empty() || target.form == TargetForm::authority);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  bytes.append(mem::padding_bytes, '\r');  // What lies behind the end must not count.

  Parsed strict;
  const Error verdict = parse_head_strict(bytes.data(), size, limits, strict.head);
  if (!verdict.failed()) check_within(strict.head, {bytes.data(), size});
  MR_ASSERT(verdict.code == Errc::ok || verdict.code == Errc::need_more || verdict.status >= 400);

  for (unsigned i = 0; i < isa_count; ++i) {
    const Kernel kernel = kernel_for(static_cast<Isa>(i));
    if (kernel == nullptr) continue;
    Parsed fast;
    const Scan scan = kernel(bytes.data(), size, fast.head);
    if (scan == Scan::complete && fast.head.size <= limits.bytes_max) {
      MR_ASSERT(!verdict.failed());
      MR_ASSERT(same(fast, strict));
    }
    if (scan == Scan::incomplete) MR_ASSERT(verdict.failed());
  }
  if (!verdict.failed()) read_on(strict.head, bytes.data() + (strict.head.base - bytes.data()));
  return 0;
}
