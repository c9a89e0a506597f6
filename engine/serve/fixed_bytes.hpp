// fixed_bytes.hpp: what an mr::Fixed holds.
#pragma once

#include <millrace/response.hpp>

#include <string>

#include "engine/proto/exchange.hpp"

namespace mr::detail {

struct FixedBytes {
  Response response;        ///< Owns the body.
  std::string head;         ///< Owns the head.
  proto::FixedReply reply;  ///< Views of both.
  bool serialised = false;  ///< False for what a FixedReply cannot say: answer with the response.
};

}  // namespace mr::detail
