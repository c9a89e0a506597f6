// dispatch.hpp: from an exchange to its handler, and from what goes wrong to an answer.
//
//   h1::Session -> route() -> Router -> start() -> Entry::start   -> detail::reply...() -> ReplySink
//                                               -> 404, 405, OPTIONS
//               -> refuse() -------------------------------------> answer_error()       -^
//
// Owner       a Server; read-only once built, shared by all cores.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/proto/exchange.hpp"
#include "engine/serve/app_state.hpp"
#include "engine/serve/router.hpp"

namespace millrace::serve {

class Dispatch final : public proto::RequestHandler {
 public:
  /// Null, and a sentence in `problem`, where the routes contradict each other. The state must outlive
  /// the Dispatch and not change any more.
  static std::unique_ptr<Dispatch> build(const AppState& state, std::string& problem);

  void route(proto::Exchange& exchange) noexcept override;
  void start(proto::Exchange& exchange) noexcept override;
  bool may_switch(const proto::Exchange& exchange) const noexcept override;
  void refuse(proto::Exchange& exchange, Error error) noexcept override;

 private:
  Dispatch(const AppState& state, std::unique_ptr<Router> router) noexcept
      : state_(state), router_(std::move(router)) {}
  void answer_unrouted(proto::Exchange& exchange) noexcept;

  const AppState& state_;
  std::unique_ptr<Router> router_;
};

}  // namespace millrace::serve
