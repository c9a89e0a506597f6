// coded_source.hpp: the body of a file, compressed while it is sent.
#pragma once

#include <memory>

#include "engine/ext/compress/encoder.hpp"
#include "engine/proto/exchange.hpp"

namespace millrace::coding {

/// Takes over `inner`, of inner_bytes or length_unknown. What comes out has a length that nobody knows.
proto::BodySource* make_coded_source(proto::BodySource* inner, std::uint64_t inner_bytes,
                                     std::unique_ptr<Encoder> encoder);

}  // namespace millrace::coding
