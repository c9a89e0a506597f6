#include "engine/http/head_parser.hpp"

namespace millrace::http {

HeadParser::HeadParser(Isa isa, const HeadLimits& limits) noexcept
    : kernel_(kernel_for(isa)), limits_(limits), isa_(isa) {
  MR_ASSERT(kernel_ != nullptr);
  MR_ASSERT(limits.bytes_max <= head_bytes_ceiling);
}

Error HeadParser::parse_slowly(Scan scan, const char* data, std::size_t size, bool judge_partial,
                               Head& head) const noexcept {
  if (scan == Scan::incomplete && !judge_partial && size < limits_.bytes_max) return {Errc::need_more};
  return parse_head_strict(data, size, limits_, head);
}

}  // namespace millrace::http
