// coded_streams.hpp: what a coroutine streams, compressed on its way.
#pragma once

#include <memory>

#include "engine/ext/compress/encoder.hpp"
#include "engine/proto/exchange.hpp"

namespace millrace::coding {

/// Puts an encoder between a coroutine and the protocol, until the exchange ends. Before its stream begins.
void code_streams(proto::Exchange& exchange, std::unique_ptr<Encoder> encoder);

}  // namespace millrace::coding
