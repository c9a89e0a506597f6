// request.cpp: reads the bytes of a request when a handler asks for them.
#include <millrace/detail/query_read.hpp>
#include <millrace/request.hpp>

#include <algorithm>
#include <array>
#include <charconv>

#include "engine/base/assert.hpp"
#include "engine/http/framing.hpp"
#include "engine/proto/exchange.hpp"
#include "engine/serve/app_state.hpp"
#include "engine/serve/chain.hpp"
#include "engine/serve/peer.hpp"

namespace millrace {
namespace {

std::string_view trim(std::string_view text) noexcept {
  const auto blank = [](char byte) { return byte == ' ' || byte == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Cuts off and returns what is before the first `end`, or all; `end` itself is dropped.
std::string_view take_until(std::string_view& rest, std::string_view end) noexcept {
  const std::size_t at = rest.find(end);
  const std::string_view taken = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + end.size());
  return taken;
}

/// Where the port's colon is in a valid host, or the size. Colons in the brackets of an IPv6 address are none.
std::size_t port_colon(std::string_view host) noexcept {
  const std::size_t colon = host.rfind(':');
  const std::size_t bracket = host.rfind(']');
  const bool is_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  return is_port ? colon : host.size();
}

}  // namespace

std::string_view Request::method() const noexcept { return exchange_->head.method_text(); }
std::string_view Request::target() const noexcept { return exchange_->head.target(); }
std::string_view Request::path() const noexcept { return exchange_->target.path; }
std::string_view Request::query() const noexcept { return exchange_->target.query; }

std::optional<std::string> Request::query(std::string_view name) const {
  detail::QueryPairs pairs(query());
  while (pairs.next()) {
    if (pairs.name() == name) return pairs.value();
  }
  return std::nullopt;
}

std::optional<std::string_view> Request::header(std::string_view name) const noexcept {
  const http::Head& head = exchange_->head;
  for (std::size_t i = 0; i < head.field_count; ++i) {
    if (http::equal_ignoring_case(head.name(head.fields[i]), name)) return head.value(head.fields[i]);
  }
  return std::nullopt;
}

std::size_t Request::header_count() const noexcept { return exchange_->head.field_count; }

std::string_view Request::header_name(std::size_t index) const noexcept {
  MR_ASSERT(index < header_count());
  return exchange_->head.name(exchange_->head.fields[index]);
}

std::string_view Request::header_value(std::size_t index) const noexcept {
  MR_ASSERT(index < header_count());
  return exchange_->head.value(exchange_->head.fields[index]);
}

std::optional<std::string_view> Request::cookie(std::string_view name) const noexcept {
  const http::Head& head = exchange_->head;
  for (std::size_t i = 0; i < head.field_count; ++i) {
    if (!http::equal_ignoring_case(head.name(head.fields[i]), "cookie")) continue;
    for (std::string_view rest = head.value(head.fields[i]); !rest.empty();) {
      std::string_view value = take_until(rest, ";");
      const bool has_value = value.find('=') != std::string_view::npos;
      if (trim(take_until(value, "=")) == name && has_value) return trim(value);
    }
  }
  return std::nullopt;
}

std::optional<std::string_view> Request::trailer(std::string_view name) const noexcept {
  for (std::string_view rest = exchange_->trailers; !rest.empty();) {
    std::string_view value = take_until(rest, "\r\n");
    if (http::equal_ignoring_case(take_until(value, ":"), name)) return trim(value);
  }
  return std::nullopt;
}

std::string_view Request::host() const noexcept {
  return exchange_->framing.host.substr(0, port_colon(exchange_->framing.host));
}

std::uint16_t Request::port() const noexcept {
  const std::string_view host = exchange_->framing.host;
  const std::string_view digits = host.substr(std::min(port_colon(host) + 1, host.size()));
  std::uint16_t port = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return port;
}

std::string Request::remote_address() const {
  const serve::Peer peer = serve::peer_of(exchange_->descriptor);
  const std::string_view address = peer.address();
  if (peer.port == 0) return std::string(address);
  const bool brackets = address.find(':') != std::string_view::npos;
  std::string text(brackets ? "[" : "");
  return text.append(address).append(brackets ? "]:" : ":").append(std::to_string(peer.port));
}

bool Request::secure() const noexcept { return exchange_->sink->transport(*exchange_) != nullptr; }

std::string Request::client_certificate() const {
  const net::Transport* transport = exchange_->sink->transport(*exchange_);
  return transport != nullptr ? transport->peer_subject() : std::string();
}

bool Request::keep_alive() const noexcept { return exchange_->framing.keep_alive; }

std::string_view Request::route() const noexcept {
  const auto* route = static_cast<const serve::Route*>(exchange_->route);
  return route != nullptr ? std::string_view(route->pattern) : std::string_view();
}

std::string_view Request::id() const noexcept {
  const auto* route = static_cast<const serve::Route*>(exchange_->route);
  // Where there is a chain, its segment is the sink until the request is done.
  return route != nullptr && route->chain != nullptr
             ? static_cast<serve::Segment*>(exchange_->sink)->request_id()
             : std::string_view();
}

std::size_t Request::parameter_count() const noexcept { return exchange_->parameter_count; }

std::string_view Request::parameter(std::size_t index) const noexcept {
  MR_ASSERT(index < exchange_->parameter_count);
  return exchange_->parameters[index];
}

void Request::set_user_data(void* data) noexcept { exchange_->user_data = data; }
void* Request::user_data() const noexcept { return exchange_->user_data; }
void Request::on_done(void (*callback)(void* user_data) noexcept) noexcept { exchange_->on_done = callback; }

}  // namespace millrace
