// differential.hpp: the kernel's verdict held against the strict path's.
#pragma once

#include <cstddef>

#include "engine/http/head.hpp"
#include "engine/http/head_parser.hpp"

namespace mr::http {

/// `head` is what a kernel made of these bytes. Judges them again by the strict path; where that
/// refuses them or finds other spans, prints both and the bytes in hex to standard error and aborts.
void require_agreement(const char* data, std::size_t size, const HeadLimits& limits,
                       const Head& head) noexcept;

}  // namespace mr::http
