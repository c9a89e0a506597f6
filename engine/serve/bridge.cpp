// bridge.cpp: what handlers call, through the templates of the public headers.
#include <millrace/detail/bridge.hpp>
#include <millrace/detail/parts.hpp>
#include <millrace/response.hpp>

#include "engine/base/assert.hpp"
#include "engine/proto/exchange.hpp"
#include "engine/serve/answer.hpp"
#include "engine/serve/app_state.hpp"
#include "engine/serve/fixed_bytes.hpp"

namespace millrace::detail {
namespace {

/// Of the handler that runs: whoever answers by these functions was routed.
const serve::AppState& state_of(const proto::Exchange& exchange) noexcept {
  MR_ASSERT(exchange.route != nullptr);
  return *static_cast<const serve::Route*>(exchange.route)->state;
}

}  // namespace

// Hot path: nearly every reply of a small handler.
void reply_text(Request& request, std::string_view body) noexcept {
  proto::Exchange& exchange = request.exchange();
  exchange.sink->reply_plain(exchange, body);
}

void reply(Request& request, Response&& response) noexcept {
  if (response.problem() != nullptr) return reply_failed(request, response.problem());
  serve::send(request.exchange(), response);
}

void reply_fixed(Request& request, const FixedBytes& fixed) noexcept {
  proto::Exchange& exchange = request.exchange();
  if (fixed.serialised) [[likely]]
    return exchange.sink->reply_fixed(exchange, fixed.reply);
  if (fixed.response.problem() != nullptr) return reply_failed(request, fixed.response.problem());
  serve::send(exchange, fixed.response);
}

void reply_failed(Request& request, const char* what) noexcept {
  proto::Exchange& exchange = request.exchange();
  if (what != nullptr) serve::log_failure(exchange, what);
  serve::answer_error(exchange, state_of(exchange), {.status = 500});
}

void reply_error(Request& request, std::uint16_t status, std::string_view message) noexcept {
  proto::Exchange& exchange = request.exchange();
  serve::answer_error(exchange, state_of(exchange), {.status = status, .message = message});
}

std::span<const ExceptionPage> exception_pages(const Request& request) noexcept {
  return state_of(request.exchange()).exception_pages();
}

void log_failure(const Request& request, const char* what) noexcept {
  serve::log_failure(request.exchange(), what);
}

void finished(Request& request) noexcept {
  proto::Exchange& exchange = request.exchange();
  exchange.sink->finished(exchange);
}

void reply_nothing(Request& request) noexcept {
  proto::Exchange& exchange = request.exchange();
  if (exchange.stream != proto::StreamState::none) return stream_end(request);
  exchange.sink->reply(exchange, {.status = 204});
}

bool streams(const Request& request) noexcept {
  return request.exchange().stream != proto::StreamState::none;
}

void cut_stream(Request& request, const char* what) noexcept {
  proto::Exchange& exchange = request.exchange();
  serve::log_failure(exchange, what);
  if (exchange.stream != proto::StreamState::ended) exchange.streams->cut(exchange);
}

bool replied(const Request& request) noexcept { return request.exchange().replied; }

bool cancelled(const Request& request) noexcept { return request.exchange().scope.cancelled; }

}  // namespace millrace::detail
