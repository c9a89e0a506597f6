// codings.hpp: the makers of encoders; each is there where its library is. Null without memory.
#pragma once

#include <memory>

#include "engine/ext/compress/encoder.hpp"

namespace millrace::coding {

std::unique_ptr<Encoder> make_gzip(const Levels& levels);
std::unique_ptr<Encoder> make_brotli(const Levels& levels);
std::unique_ptr<Encoder> make_zstd(const Levels& levels);

/// Output is made in steps of this size.
inline constexpr std::size_t step_bytes = 16 * 1024;

}  // namespace millrace::coding
