// https_redirect.hpp: what plain listeners answer where every request belongs to HTTPS.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/proto/exchange.hpp"

namespace millrace::serve {

/// 308 (Permanent Redirect) to the same host and target on `port`: the method and the body stay what they
/// are (RFC 9110 section 15.4.9). Without a host that can be told again: 400.
class RedirectHandler final : public proto::RequestHandler {
 public:
  /// faults  answers what the protocol refuses, as on every listener; must outlive this.
  RedirectHandler(proto::RequestHandler& faults, std::uint16_t port) noexcept
      : faults_(faults), port_(port) {}

  void route(proto::Exchange& exchange) noexcept override;
  void start(proto::Exchange& exchange) noexcept override;
  void refuse(proto::Exchange& exchange, Error error) noexcept override { faults_.refuse(exchange, error); }

 private:
  proto::RequestHandler& faults_;
  std::uint16_t port_;
};

/// The port of the first of `addresses` that has one; else 0.
std::uint16_t port_of(const std::vector<std::string>& addresses);

}  // namespace millrace::serve
