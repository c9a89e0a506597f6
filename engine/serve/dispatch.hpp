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
#include <vector>

#include "engine/proto/exchange.hpp"
#include "engine/serve/app_state.hpp"
#include "engine/serve/chain.hpp"
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
  /// Where requests that no route is for are answered: below the longest prefix that fits.
  struct Place {
    std::string prefix;
    Route route;  ///< Stands for none: its pattern is empty.
    bool covers(std::string_view path) const noexcept;
  };

  explicit Dispatch(const AppState& state) noexcept : state_(state) {}
  void resolve(const AppState& state);
  void resolve_groups(const AppState& state);
  const Chain& add_chain(const AppState& state, std::vector<const detail::Middleware*> middleware,
                         const detail::Entry& handler);
  const Place* place_of(const http::Target& target) const noexcept;
  void start_unrouted(proto::Exchange& exchange) noexcept;
  static void answer_unrouted(void* self, Request& request) noexcept;

  const AppState& state_;
  std::vector<std::unique_ptr<Route>> routes_;
  std::vector<std::unique_ptr<Chain>> chains_;
  std::vector<Place> places_;  ///< Longest prefix first; the last one is the root's. None without middleware.
  std::unique_ptr<Router> router_;
};

}  // namespace millrace::serve
