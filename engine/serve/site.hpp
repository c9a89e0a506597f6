// site.hpp: everything that an application serves: its hosts, each with routes of its own.
//
//   Protocol -> Site::route -> the host's Dispatch -> Route
//
// An application without hosts and limits of bodies needs none of this: handler() is its Dispatch alone.
//
// Owner       a Server; read-only once built, shared by all cores.
// Hosts       exact names before wildcards ("*.example.org": every name below), longer ones first. What
//             fits none gets the routes that are for no host; where there are none: 421.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/serve/dispatch.hpp"

namespace millrace::serve {

class Site final : public proto::RequestHandler {
 public:
  /// Null, and a sentence in `problem`, where routes contradict each other or a host's name is none.
  static std::unique_ptr<Site> build(const AppState& state, std::string& problem);

  proto::RequestHandler& handler() noexcept {
    return needed_ ? static_cast<proto::RequestHandler&>(*this) : *default_;
  }

  void route(proto::Exchange& exchange) noexcept override;
  void start(proto::Exchange& exchange) noexcept override;
  bool may_switch(const proto::Exchange& exchange) const noexcept override {
    return default_->may_switch(exchange);  // The route says it.
  }
  void refuse(proto::Exchange& exchange, Error error) noexcept override;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>()(text);
    }
  };
  using Hosts = std::unordered_map<std::string, std::unique_ptr<Dispatch>, Hash, std::equal_to<>>;

  Dispatch& dispatch_for(std::string_view host) const noexcept;

  std::unique_ptr<Dispatch> default_;
  Hosts exact_;
  Hosts below_;  ///< By the suffix of a wildcard: "example.org".
  bool needed_ = false;
};

/// Null, or what is wrong with the name of a host: "example.org", "*.example.org", "127.0.0.1", "[::1]".
const char* host_problem(std::string_view name) noexcept;

}  // namespace millrace::serve
