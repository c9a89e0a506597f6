#include "engine/config/route_entry.hpp"

#include <millrace/fixed.hpp>
#include <millrace/metrics.hpp>
#include <millrace/response.hpp>

#include <string>
#include <string_view>

#include <fmt/format.h>

#include "engine/proto/exchange.hpp"

namespace millrace::config {
namespace {

class Respond {
 public:
  explicit Respond(const RouteConfig& route) : fixed_(response_of(route)) {}

  static void start(void* self, Request& request) noexcept {
    detail::reply_fixed(request, static_cast<Respond*>(self)->fixed_.bytes());
  }
  static void destroy(void* self) noexcept { delete static_cast<Respond*>(self); }

 private:
  static Response response_of(const RouteConfig& route) {
    Response response;
    response.bytes(route.body, route.type).status(route.status);
    for (const auto& [name, value] : route.headers) response.header(name, value);
    return response;
  }

  Fixed fixed_;
};

class Redirect {
 public:
  explicit Redirect(const RouteConfig& route)
      : field_(fmt::format("Location: {}\r\n", route.to)),
        status_(route.status),
        keeps_query_(route.to.find_first_of("?#") == std::string::npos) {}

  static void start(void* self, Request& request) noexcept {
    const Redirect& redirect = *static_cast<Redirect*>(self);
    proto::Exchange& exchange = request.exchange();
    const std::string_view query = exchange.target.query;
    if (query.empty() || !redirect.keeps_query_)
      return exchange.sink->reply(exchange, {.status = redirect.status_, .fields = redirect.field_});
    // Grows to the longest that came, and stays: no allocation in steady state.
    thread_local std::string field;
    field.assign(redirect.field_, 0, redirect.field_.size() - 2);
    field.append("?").append(query).append("\r\n");
    exchange.sink->reply(exchange, {.status = redirect.status_, .fields = field});
  }
  static void destroy(void* self) noexcept { delete static_cast<Redirect*>(self); }

 private:
  const std::string field_;
  const std::uint16_t status_;
  const bool keeps_query_;
};

}  // namespace

detail::Entry make_respond_entry(const RouteConfig& route) {
  return {.start = Respond::start, .destroy = Respond::destroy, .self = new Respond(route)};
}

detail::Entry make_metrics_entry() {
  return {.start = [](void*, Request& request) noexcept {
    const std::string text = metrics_text();
    proto::Exchange& exchange = request.exchange();
    exchange.sink->reply(exchange, {.content_type = metrics_type, .body = text});
  }};
}

detail::Entry make_redirect_entry(const RouteConfig& route) {
  return {.start = Redirect::start, .destroy = Redirect::destroy, .self = new Redirect(route)};
}

}  // namespace millrace::config
