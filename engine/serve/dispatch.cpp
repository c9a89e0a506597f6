#include "engine/serve/dispatch.hpp"

#include <array>
#include <utility>

#include "engine/base/assert.hpp"
#include "engine/serve/answer.hpp"
#include "engine/serve/scheduler.hpp"

namespace millrace::serve {

std::unique_ptr<Dispatch> Dispatch::build(const AppState& state, std::string& problem) {
  std::unique_ptr<Router> router = Router::build(state.routes(), problem);
  if (router == nullptr) return nullptr;
  return std::unique_ptr<Dispatch>(new Dispatch(state, std::move(router)));
}

void Dispatch::route(proto::Exchange& exchange) noexcept {
  const Route* route =
      router_->find(exchange.head.method, exchange.target, exchange.parameters, exchange.parameter_count);
  exchange.route = route;
  exchange.asynchronous = route != nullptr && route->entry.asynchronous;
  exchange.reads_parts = route != nullptr && route->entry.reads_parts;
}

void Dispatch::start(proto::Exchange& exchange) noexcept {
  const auto* route = static_cast<const Route*>(exchange.route);
  if (route == nullptr) [[unlikely]]
    return answer_unrouted(exchange);
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

// What the path would have answered decides what is said of the method (RFC 9110 sections 9.3.7, 15.5.6).
void Dispatch::answer_unrouted(proto::Exchange& exchange) noexcept {
  const http::Method method = exchange.head.method;
  if (method == http::Method::other || method == http::Method::connect) {
    return answer_error(exchange, state_, {.status = 501});
  }
  const bool asterisk = exchange.target.form == http::TargetForm::asterisk;
  const MethodSet allowed = asterisk ? router_->allowed_anywhere() : router_->allowed(exchange.target);
  if (allowed == 0 && method != http::Method::trace) return answer_error(exchange, state_, {.status = 404});
  std::array<char, allow_bytes_max> buffer;
  const std::string_view allow = write_allow(allowed, buffer);
  if (method == http::Method::options)
    return exchange.sink->reply(exchange, {.status = 204, .fields = allow});
  answer_error(exchange, state_, {.status = 405, .fields = allow});
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
  answer_error(exchange, state_, {.status = error.status, .fields = fields});
}

}  // namespace millrace::serve
