#include "engine/http/head_parser.hpp"

#include <algorithm>

#include "engine/http/differential.hpp"

namespace mr::http {

HeadParser::HeadParser(Isa isa, const HeadLimits& limits) noexcept
    : kernel_(kernel_for(isa)), limits_(limits), isa_(isa) {
  MR_ASSERT(kernel_ != nullptr);
  MR_ASSERT(limits.bytes_max <= head_bytes_ceiling);
}

Error HeadParser::parse(const char* data, std::size_t size, bool judge_partial, Head& head) const noexcept {
  // Held to the limit, the kernel can complete no head that is over it.
  const Scan scan = kernel_(data, std::min<std::size_t>(size, limits_.bytes_max), head);
  if (scan == Scan::complete) [[likely]] {
    if (head.field_count > limits_.fields_max) [[unlikely]]
      return {Errc::fields_too_many, 431};
#ifdef MR_DIFFERENTIAL
    require_agreement(data, size, limits_, head);
#endif
    return {};
  }
  if (scan == Scan::incomplete && !judge_partial && size < limits_.bytes_max) return {Errc::need_more};
  return parse_head_strict(data, size, limits_, head);
}

}  // namespace mr::http
