// fixed_bytes.hpp: what an millrace::Fixed holds.
#pragma once

#include <millrace/response.hpp>

#include <string>

#include "engine/proto/exchange.hpp"

namespace millrace::detail {

struct FixedBytes {
  Response response;        ///< Owns the body.
  std::string head;         ///< Owns the head.
  proto::FixedReply reply;  ///< Views of both.
  bool serialised = false;  ///< False for what a FixedReply cannot say: answer with the response.
};

}  // namespace millrace::detail
