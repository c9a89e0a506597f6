// kernels.hpp: the tokenizer kernels by name; head_parser.hpp says what they promise.
#pragma once

#include "engine/http/head_parser.hpp"

namespace millrace::http {

Scan scan_scalar(const char* data, std::size_t size, Head& head) noexcept;
#ifdef MR_KERNELS_X86
Scan scan_sse42(const char* data, std::size_t size, Head& head) noexcept;
Scan scan_avx2(const char* data, std::size_t size, Head& head) noexcept;
Scan scan_avx512(const char* data, std::size_t size, Head& head) noexcept;
#endif

}  // namespace millrace::http
