#include "engine/serve/site.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/http/framing.hpp"

namespace millrace::serve {
namespace {

constexpr std::size_t host_bytes_max = 255;  // RFC 1035 section 2.3.4.

char lower(char byte) noexcept { return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte | 0x20) : byte; }

/// Without its port, and without the dot that a full name may end with. Not for the name of a pattern.
std::string_view bare(std::string_view host) noexcept {
  const std::size_t colon = host.rfind(':');
  const std::size_t bracket = host.rfind(']');
  if (colon != host.npos && (bracket == host.npos || colon > bracket)) host = host.substr(0, colon);
  if (host.ends_with('.')) host.remove_suffix(1);
  return host;
}

}  // namespace

const char* host_problem(std::string_view name) noexcept {
  if (name.starts_with("*.")) name.remove_prefix(2);
  if (name.find('*') != name.npos) return "a * may only be its whole first label, as in *.example.org";
  if (name.size() > host_bytes_max) return "it has more than 255 bytes";
  if (bare(name) != name) return "it has a port, or a dot at its end";
  return http::valid_host(name) ? nullptr : "expected a name such as example.org, or an address";
}

std::unique_ptr<Site> Site::build(const AppState& state, std::string& problem) {
  if (!state.problem().empty()) {
    problem = state.problem();
    return nullptr;
  }
  std::unique_ptr<Site> site(new Site);
  site->default_ = Dispatch::build(state, nullptr, problem);
  if (site->default_ == nullptr) return nullptr;
  bool limits = site->default_->has_body_limits();
  for (const auto& [name, group] : state.hosts()) {
    if (const char* wrong = host_problem(name)) {
      problem = "the host name \"" + name + "\" is not valid: " + wrong;
      return nullptr;
    }
    std::unique_ptr<Dispatch> dispatch = Dispatch::build(state, group, problem);
    if (dispatch == nullptr) {
      problem.insert(0, "host " + name + ": ");
      return nullptr;
    }
    limits = limits || dispatch->has_body_limits();
    std::string key(name);
    std::transform(key.begin(), key.end(), key.begin(), lower);
    const bool wildcard = key.starts_with("*.");
    (wildcard ? site->below_ : site->exact_)[wildcard ? key.substr(2) : key] = std::move(dispatch);
  }
  const bool hosts = !state.hosts().empty();
  if (hosts && site->default_->empty()) site->default_->misdirect();
  site->needed_ = hosts || limits;
  return site;
}

Dispatch& Site::dispatch_for(std::string_view host) const noexcept {
  const std::string_view name = bare(host);
  std::array<char, host_bytes_max> buffer;
  if (name.size() > buffer.size()) return *default_;
  std::transform(name.begin(), name.end(), buffer.begin(), lower);
  std::string_view rest(buffer.data(), name.size());
  if (const auto found = exact_.find(rest); found != exact_.end()) return *found->second;
  for (std::size_t dot = rest.find('.'); dot != rest.npos && !below_.empty(); dot = rest.find('.')) {
    rest.remove_prefix(dot + 1);
    if (const auto found = below_.find(rest); found != below_.end()) return *found->second;
  }
  return *default_;
}

void Site::route(proto::Exchange& exchange) noexcept {
  dispatch_for(exchange.framing.host).route(exchange);
  const auto* route = static_cast<const Route*>(exchange.route);
  exchange.body_bytes_max = route != nullptr ? route->body_bytes_max : 0;
}

void Site::start(proto::Exchange& exchange) noexcept {
  // Whoever found a route, it says all; without one the host's middleware counts.
  (exchange.route != nullptr ? *default_ : dispatch_for(exchange.framing.host)).start(exchange);
}

void Site::refuse(proto::Exchange& exchange, Error error) noexcept {
  dispatch_for(exchange.framing.host).refuse(exchange, error);
}

}  // namespace millrace::serve
