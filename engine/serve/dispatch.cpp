#include "engine/serve/dispatch.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/base/assert.hpp"
#include "engine/serve/answer.hpp"
#include "engine/serve/scheduler.hpp"

namespace millrace::serve {

namespace {

using MiddlewareList = std::vector<const detail::Middleware*>;

/// Of a group and those around it, outermost first.
MiddlewareList middleware_of(const GroupState* group) {
  if (group == nullptr) return {};
  MiddlewareList found = middleware_of(group->parent);
  found.insert(found.end(), group->middleware.begin(), group->middleware.end());
  return found;
}

std::string pattern_of(const Route& route) {
  const std::string prefix = route.group->whole_prefix();
  return prefix.empty() ? route.pattern : prefix + (route.pattern == "/" ? "" : route.pattern);
}

}  // namespace

std::unique_ptr<Dispatch> Dispatch::build(const AppState& state, std::string& problem) {
  std::unique_ptr<Dispatch> dispatch(new Dispatch(state));
  dispatch->resolve(state);
  std::stable_sort(
      dispatch->places_.begin(), dispatch->places_.end(),
      [](const Place& left, const Place& right) { return left.prefix.size() > right.prefix.size(); });
  dispatch->router_ = Router::build(dispatch->routes_, problem);
  return dispatch->router_ != nullptr ? std::move(dispatch) : nullptr;
}

// Routes get their whole pattern, and the chain of all middleware around them in the handler's place.
void Dispatch::resolve(const AppState& state) {
  resolve_groups(state);
  for (const std::unique_ptr<Route>& route : state.routes()) {
    auto resolved = std::make_unique<Route>(*route);
    resolved->pattern = pattern_of(*route);
    MiddlewareList middleware = middleware_of(route->group);
    middleware.insert(middleware.end(), route->middleware.begin(), route->middleware.end());
    if (!middleware.empty()) {
      resolved->chain = &add_chain(state, std::move(middleware), route->entry);
      resolved->entry = resolved->chain->entry();
    }
    routes_.push_back(std::move(resolved));
  }
  for (const std::unique_ptr<AppState>& mounted : state.mounted()) resolve(*mounted);
}

void Dispatch::resolve_groups(const AppState& state) {
  const detail::Entry unrouted{.start = answer_unrouted, .self = this};
  for (const GroupState& group : state.groups()) {
    MiddlewareList middleware = middleware_of(&group);
    if (middleware.empty()) continue;
    const Chain& chain = add_chain(state, std::move(middleware), unrouted);
    places_.push_back({.prefix = group.whole_prefix(),
                       .route = {.state = &state, .entry = chain.entry(), .group = &group, .chain = &chain}});
  }
}

const Chain& Dispatch::add_chain(const AppState& state, MiddlewareList middleware,
                                 const detail::Entry& handler) {
  const bool tells_done = std::any_of(middleware.begin(), middleware.end(),
                                      [](const detail::Middleware* one) { return one->done != nullptr; });
  chains_.push_back(std::make_unique<Chain>(Chain{
      .state = &state, .middleware = std::move(middleware), .handler = handler, .tells_done = tells_done}));
  return *chains_.back();
}

void Dispatch::route(proto::Exchange& exchange) noexcept {
  const Route* route =
      router_->find(exchange.head.method, exchange.target, exchange.parameters, exchange.parameter_count);
  exchange.route = route;
  if (route != nullptr) [[likely]] {
    exchange.asynchronous = route->entry.asynchronous;
    exchange.reads_parts = route->entry.reads_parts;
  } else {
    exchange.reads_parts = false;
    const Place* place = place_of(exchange.target);
    exchange.asynchronous = place != nullptr && place->route.entry.asynchronous;
  }
}

void Dispatch::start(proto::Exchange& exchange) noexcept {
  const auto* route = static_cast<const Route*>(exchange.route);
  if (route == nullptr) [[unlikely]]
    return start_unrouted(exchange);
  const detail::Entry& entry = route->entry;
  if (!entry.asynchronous) [[likely]]
    return entry.start(entry.self, exchange.request);
  Scheduler* scheduler = Scheduler::current();
  MR_ASSERT(scheduler != nullptr);
  scheduler->enter(exchange.scope, [&]() noexcept { entry.start(entry.self, exchange.request); });
}

bool Dispatch::may_switch(const proto::Exchange& exchange) const noexcept {
  const auto* route = static_cast<const Route*>(exchange.route);
  return route != nullptr && route->entry.switches;
}

bool Dispatch::Place::covers(std::string_view path) const noexcept {
  return path.starts_with(prefix) &&
         (path.size() == prefix.size() || path[prefix.size()] == '/' || prefix.empty());
}

const Dispatch::Place* Dispatch::place_of(const http::Target& target) const noexcept {
  for (const Place& place : places_) {
    if (place.covers(target.path)) return &place;
  }
  return nullptr;
}

void Dispatch::start_unrouted(proto::Exchange& exchange) noexcept {
  const Place* place = place_of(exchange.target);
  if (place == nullptr) return answer_unrouted(this, exchange.request);
  exchange.route = &place->route;
  const bool asynchronous = exchange.asynchronous;
  start(exchange);  // An asynchronous exchange may be gone behind this.
  if (!asynchronous) exchange.route = nullptr;
}

// What the path would have answered decides what is said of the method (RFC 9110 sections 9.3.7, 15.5.6).
void Dispatch::answer_unrouted(void* self, Request& request) noexcept {
  const Dispatch& dispatch = *static_cast<const Dispatch*>(self);
  const Router& router = *dispatch.router_;
  proto::Exchange& exchange = request.exchange();
  const auto* place = static_cast<const Route*>(exchange.route);
  const AppState& state = place != nullptr ? *place->state : dispatch.state_;
  const http::Method method = exchange.head.method;
  if (method == http::Method::other || method == http::Method::connect) {
    return answer_error(exchange, state, {.status = 501});
  }
  const bool asterisk = exchange.target.form == http::TargetForm::asterisk;
  const MethodSet allowed = asterisk ? router.allowed_anywhere() : router.allowed(exchange.target);
  if (allowed == 0 && method != http::Method::trace) return answer_error(exchange, state, {.status = 404});
  std::array<char, allow_bytes_max> buffer;
  const std::string_view allow = write_allow(allowed, buffer);
  if (method == http::Method::options)
    return exchange.sink->reply(exchange, {.status = 204, .fields = allow});
  answer_error(exchange, state, {.status = 405, .fields = allow});
}

void Dispatch::refuse(proto::Exchange& exchange, Error error) noexcept {
  MR_ASSERT(error.status != 0);
  if (exchange.target.path.empty() && exchange.target.form != http::TargetForm::authority) {
    // Refused before its target was read. The head may be half read: an error page must not look at it.
    exchange.head.base = "";
    exchange.head.method_size = exchange.head.target_size = exchange.head.field_count = 0;
  }
  exchange.route = nullptr;
  exchange.parameter_count = 0;
  // Busy now, not for long: what is in the way are requests, each of which has its own deadline.
  const std::string_view fields = error.status == 503 ? "Retry-After: 1\r\n" : "";
  const Failure failure{.status = error.status, .fields = fields};
  if (places_.empty() || !places_.back().prefix.empty()) return answer_error(exchange, state_, failure);
  // Nothing is known of the request that could be sent through a chain; the application's afters see the answer.
  const Route& root = places_.back().route;
  exchange.route = &root;
  {
    Segment segment(exchange, *root.chain, 0);
    segment.enter_refused();
    answer_error(exchange, state_, failure);
    segment.tell_done();
  }
  exchange.route = nullptr;
}

}  // namespace millrace::serve
