#include "engine/serve/dispatch.hpp"

#include <algorithm>
#include <array>
#include <iterator>
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

std::size_t depth_of(const GroupState* group) noexcept {
  return group->parent != nullptr ? depth_of(group->parent) + 1 : 0;
}

std::string pattern_of(const Route& route) {
  const std::string prefix = route.group->whole_prefix();
  return prefix.empty() ? route.pattern : prefix + (route.pattern == "/" ? "" : route.pattern);
}

bool has_kind(const detail::Middleware* one) noexcept { return one->kind != nullptr; }

/// In the chain: limits have no place there.
bool does_nothing(const detail::Middleware* one) noexcept {
  return one->before == nullptr && one->after == nullptr && one->done == nullptr && one->around == nullptr;
}

/// Of each kind the innermost, where the outermost stood.
MiddlewareList one_of_each_kind(const MiddlewareList& all) {
  MiddlewareList kept;
  for (const detail::Middleware* one : all) {
    const auto outer = std::find_if(kept.begin(), kept.end(), [one](const detail::Middleware* other) {
      return has_kind(one) && other->kind == one->kind;
    });
    if (outer != kept.end())
      *outer = one;
    else
      kept.push_back(one);
  }
  return kept;
}

}  // namespace

std::unique_ptr<Dispatch> Dispatch::build(const AppState& state, const GroupState* host,
                                          std::string& problem) {
  std::unique_ptr<Dispatch> dispatch(new Dispatch(state, host));
  dispatch->resolve(state);
  std::stable_sort(
      dispatch->places_.begin(), dispatch->places_.end(), [](const Place& left, const Place& right) {
        return std::pair(left.prefix.size(), left.depth) > std::pair(right.prefix.size(), right.depth);
      });
  dispatch->router_ = Router::build(dispatch->routes_, problem);
  return dispatch->router_ != nullptr ? std::move(dispatch) : nullptr;
}

bool Dispatch::has_body_limits() const noexcept {
  return std::any_of(routes_.begin(), routes_.end(),
                     [](const std::unique_ptr<Route>& route) { return route->body_bytes_max != 0; });
}

// Routes get their whole pattern, and the chain of all middleware around them in the handler's place.
void Dispatch::resolve(const AppState& state) {
  resolve_groups(state);
  for (const std::unique_ptr<Route>& route : state.routes()) {
    if (route->group->host() != host_) continue;
    auto resolved = std::make_unique<Route>(*route);
    resolved->pattern = pattern_of(*route);
    MiddlewareList middleware = middleware_of(route->group);
    middleware.insert(middleware.end(), route->middleware.begin(), route->middleware.end());
    put_chain(*resolved, middleware);
    put_stand_in(*route, *resolved);
    routes_.push_back(std::move(resolved));
  }
  for (const std::unique_ptr<AppState>& mounted : state.mounted()) resolve(*mounted);
}

void Dispatch::resolve_groups(const AppState& state) {
  for (const GroupState& group : state.groups()) {
    const bool is_root = group.parent == nullptr;  // Its middleware is around every host.
    if (group.host() != host_ && !is_root) continue;
    Place place{
        .prefix = group.whole_prefix(),
        .depth = depth_of(&group),
        .route = {.state = &state, .entry = {.start = answer_unrouted, .self = this}, .group = &group}};
    put_chain(place.route, middleware_of(&group));
    if (place.route.chain != nullptr) places_.push_back(std::move(place));
  }
}

// What a route has in place of its group's is also around what its path has no route for: a preflight asks for
// another method than the one it is about.
void Dispatch::put_stand_in(const Route& of, Route& resolved) {
  MiddlewareList middleware = middleware_of(of.group);
  const std::size_t outer = middleware.size();
  std::copy_if(of.middleware.begin(), of.middleware.end(), std::back_inserter(middleware), has_kind);
  if (middleware.size() == outer) return;
  auto made = std::make_unique<Route>(
      Route{.state = of.state, .entry = {.start = answer_unrouted, .self = this}, .group = of.group});
  put_chain(*made, middleware);
  resolved.unrouted = made.get();
  stand_ins_.push_back(std::move(made));
}

// The innermost limit of each kind counts, and takes no place in the chain.
void Dispatch::put_chain(Route& route, const MiddlewareList& middleware) {
  Chain chain{.state = route.state, .handler = route.entry};
  for (const detail::Middleware* one : one_of_each_kind(middleware)) {
    if (one->timeout_ns != 0) chain.timeout_ns = one->timeout_ns;
    if (one->body_bytes_max != 0) route.body_bytes_max = one->body_bytes_max;
    chain.tells_done = chain.tells_done || one->done != nullptr;
    if (!does_nothing(one)) chain.middleware.push_back(one);
  }
  if (chain.middleware.empty() && (chain.timeout_ns == 0 || !route.entry.asynchronous)) return;
  chains_.push_back(std::make_unique<Chain>(std::move(chain)));
  route.chain = chains_.back().get();
  route.entry = route.chain->entry();
}

void Dispatch::route(proto::Exchange& exchange) noexcept {
  const Route* route =
      router_->find(exchange.head.method, exchange.target, exchange.parameters, exchange.parameter_count);
  exchange.route = route;
  if (route == nullptr) [[unlikely]]
    return note_unrouted(exchange);
  exchange.asynchronous = route->entry.asynchronous;
  exchange.reads_parts = route->entry.reads_parts;
}

void Dispatch::note_unrouted(proto::Exchange& exchange) const noexcept {
  const Route* answering = unrouted_of(exchange);
  exchange.asynchronous = answering != nullptr && answering->entry.asynchronous;
  exchange.reads_parts = false;
}

void Dispatch::start(proto::Exchange& exchange) noexcept {
  const auto* route = static_cast<const Route*>(exchange.route);
  if (route == nullptr) [[unlikely]]
    return start_unrouted(exchange);
  const detail::Entry& entry = route->entry;
  if (!entry.asynchronous) [[likely]]
    return entry.start(entry.self, exchange.request);
  start_coroutine(entry, exchange);
}

void Dispatch::start_coroutine(const detail::Entry& entry, proto::Exchange& exchange) noexcept {
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

// The route that the request is about: of a preflight the one that it asks for, else any of the path.
const Route* Dispatch::stand_in_of(const proto::Exchange& exchange) const noexcept {
  const MethodSet allowed = router_->allowed(exchange.target);
  const std::string_view wanted = exchange.request.header("access-control-request-method").value_or("");
  const Route* found = nullptr;
  for (unsigned i = 0; i < http::method_count; ++i) {
    const auto method = static_cast<http::Method>(i);
    if ((allowed & bit(method)) == 0) continue;
    Parameters parameters;
    std::uint8_t count = 0;
    const Route* route = router_->find(method, exchange.target, parameters, count);
    if (route == nullptr) continue;
    if (http::name_of(method) == wanted) return route->unrouted;
    if (found == nullptr) found = route->unrouted;
  }
  return found;
}

const Route* Dispatch::unrouted_of(const proto::Exchange& exchange) const noexcept {
  const Route* found = stand_ins_.empty() ? nullptr : stand_in_of(exchange);
  if (found != nullptr) return found;
  const Place* place = place_of(exchange.target);
  return place != nullptr ? &place->route : nullptr;
}

void Dispatch::start_unrouted(proto::Exchange& exchange) noexcept {
  const Route* answering = unrouted_of(exchange);
  if (answering == nullptr) return answer_unrouted(this, exchange.request);
  exchange.route = answering;
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
  if (dispatch.missing_status_ != 404)
    return answer_error(exchange, state, {.status = dispatch.missing_status_});
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
