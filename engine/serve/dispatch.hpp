// dispatch.hpp: from an exchange to its handler, and from what goes wrong to an answer.
//
//   h1::Session -> route() -> Router -> start() -> Entry::start   -> detail::reply...() -> ReplySink
//                                               -> 404, 405, OPTIONS
//               -> refuse() -------------------------------------> answer_error()       -^
//
// Owner       a Server; read-only once built, shared by all cores.
#pragma once

#include <cstddef>
#include <cstdint>
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
  static std::unique_ptr<Dispatch> build(const AppState& state, std::string& problem) {
    return build(state, nullptr, problem);
  }
  /// host: of the routes; null for those that are for no host.
  static std::unique_ptr<Dispatch> build(const AppState& state, const GroupState* host, std::string& problem);

  bool empty() const noexcept { return routes_.empty(); }
  bool has_body_limits() const noexcept;
  /// It has no routes because others have them: 421 in place of 404.
  void misdirect() noexcept { missing_status_ = 421; }

  void route(proto::Exchange& exchange) noexcept override;
  void start(proto::Exchange& exchange) noexcept override;
  bool may_switch(const proto::Exchange& exchange) const noexcept override;
  void refuse(proto::Exchange& exchange, Error error) noexcept override;

 private:
  /// Where requests that no route is for are answered: below the longest prefix that fits.
  struct Place {
    std::string prefix;
    std::size_t depth;  ///< Of two with the same prefix the deeper one counts.
    Route route;        ///< Stands for none: its pattern is empty.
    bool covers(std::string_view path) const noexcept;
  };

  Dispatch(const AppState& state, const GroupState* host) noexcept : state_(state), host_(host) {}
  void resolve(const AppState& state);
  void resolve_groups(const AppState& state);
  void put_chain(Route& route, const std::vector<const detail::Middleware*>& middleware);
  void put_stand_in(const Route& of, Route& resolved);
  const Place* place_of(const http::Target& target) const noexcept;
  const Route* stand_in_of(const proto::Exchange& exchange) const noexcept;
  const Route* unrouted_of(const proto::Exchange& exchange) const noexcept;
  [[gnu::noinline]] void note_unrouted(proto::Exchange& exchange) const noexcept;
  void start_unrouted(proto::Exchange& exchange) noexcept;
  [[gnu::noinline]] static void start_coroutine(const detail::Entry& entry,
                                                proto::Exchange& exchange) noexcept;
  static void answer_unrouted(void* self, Request& request) noexcept;

  const AppState& state_;
  const GroupState* host_;
  std::uint16_t missing_status_ = 404;
  std::vector<std::unique_ptr<Route>> routes_;
  std::vector<std::unique_ptr<Chain>> chains_;
  std::vector<std::unique_ptr<Route>> stand_ins_;  ///< Each one is Route::unrouted of one of routes_.
  std::vector<Place> places_;  ///< Longest prefix first; the last one is the root's. None without middleware.
  std::unique_ptr<Router> router_;
};

}  // namespace millrace::serve
