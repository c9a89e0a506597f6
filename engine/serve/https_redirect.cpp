#include "engine/serve/https_redirect.hpp"

#include <string>
#include <string_view>

#include "engine/net/listen_socket.hpp"

namespace millrace::serve {
namespace {

constexpr std::uint16_t https_port = 443;

std::string_view without_port(std::string_view host) noexcept {
  const std::size_t colon = host.rfind(':');
  const bool in_brackets = colon != std::string_view::npos && host.find(']', colon) != std::string_view::npos;
  return in_brackets ? host : host.substr(0, colon);
}

bool stays_as_it_is(char c) noexcept {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return letter || std::string_view("/-._~!$&'()*+,;=:@").find(c) != std::string_view::npos;
}

/// The path was decoded in place: whatever could end the field, or mean something else, is encoded again.
void add_path(const http::Target& target, std::string& to) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (std::size_t at = 0; at < target.path.size(); ++at) {
    const char c = target.path[at];
    if (stays_as_it_is(c) && (c != '/' || target.is_separator(at))) {
      to += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    to += {'%', digits[byte >> 4], digits[byte & 15]};
  }
}

}  // namespace

std::uint16_t port_of(const std::vector<std::string>& addresses) {
  for (const std::string& text : addresses) {
    net::ListenAddress address;
    if (net::read_listen_address(text, address).empty() && address.port() != 0) return address.port();
  }
  return 0;
}

void RedirectHandler::route(proto::Exchange& exchange) noexcept {
  exchange.route = this;
  exchange.asynchronous = false;
}

void RedirectHandler::start(proto::Exchange& exchange) noexcept {
  const http::TargetForm form = exchange.target.form;
  const std::string_view host = without_port(exchange.framing.host);
  exchange.route = nullptr;
  if (host.empty() || (form != http::TargetForm::origin && form != http::TargetForm::absolute)) {
    return faults_.refuse(exchange, {Errc::bad_host, 400});
  }
  std::string location = "Location: https://";
  location += host;
  if (port_ != https_port) location += ':' + std::to_string(port_);
  add_path(exchange.target, location);
  if (!exchange.target.query.empty()) location.append("?").append(exchange.target.query);
  location += "\r\n";
  exchange.sink->reply(exchange, {.status = 308, .fields = location});
}

}  // namespace millrace::serve
