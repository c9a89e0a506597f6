#include "engine/config/bench_url.hpp"

#include <sys/un.h>

#include <fmt/format.h>

#include "engine/config/value.hpp"
#include "engine/http/char_class.hpp"
#include "engine/http/framing.hpp"

namespace millrace::config {
namespace {

constexpr std::size_t socket_path_max = sizeof(sockaddr_un{}.sun_path) - 1;

struct Scheme {
  std::string_view begins;
  bool tls;
  bool websocket;
};
constexpr Scheme schemes[] = {
    {"http://", false, false}, {"https://", true, false}, {"ws://", false, true}, {"wss://", true, true}};

std::string read_unix(std::string_view text, BenchUrl& url) {
  const std::size_t colon = text.find(':');
  url.socket_path = text.substr(0, colon);
  url.target = colon == text.npos ? "/" : text.substr(colon + 1);
  url.authority = "localhost";
  if (url.socket_path.empty()) return "no path of a socket behind `unix:`";
  if (url.socket_path.size() > socket_path_max)
    return fmt::format("`{}` is longer than the {} bytes that a socket's path may have", url.socket_path,
                       socket_path_max);
  return check_target(url.target);
}

std::string read_http(std::string_view rest, std::string_view whole, BenchUrl& url) {
  rest = rest.substr(0, rest.find('#'));  // A fragment is never sent (RFC 9110 section 4.2.5).
  const std::size_t end = rest.find_first_of("/?");
  url.authority = rest.substr(0, end);
  url.target = end == rest.npos ? "/" : rest.substr(end);
  if (url.target.front() == '?') url.target.insert(0, 1, '/');
  if (!http::valid_host(url.authority)) return fmt::format("`{}` has no valid host", whole);
  const std::size_t bracket = url.authority.find(']');
  const std::size_t colon = url.authority.find(':', bracket == std::string::npos ? 0 : bracket);
  url.host = url.authority.substr(0, colon);
  if (url.host.starts_with('[')) url.host = url.host.substr(1, url.host.size() - 2);
  if (url.host.empty()) return fmt::format("`{}` has no host", whole);
  if (colon != std::string::npos && colon + 1 != url.authority.size()) {
    const auto port = read_count(std::string_view(url.authority).substr(colon + 1));
    if (!port || *port == 0 || *port > 65'535) return fmt::format("`{}`: a port is 1 to 65535", whole);
    url.port = static_cast<std::uint16_t>(*port);
  }
  return check_target(url.target);
}

}  // namespace

std::string check_target(std::string_view target) {
  if (!target.starts_with('/')) return fmt::format("`{}` is no path: it must begin with `/`", target);
  for (const char byte : target)
    if (!http::is_class(byte, http::char_class::query))
      return fmt::format("`{}` holds a byte that must be percent-encoded in a URL", target);
  return {};
}

std::string read_bench_url(std::string_view text, BenchUrl& url) {
  url = {};
  const auto begins = [text](std::string_view scheme) {
    return text.size() >= scheme.size() && http::equal_ignoring_case(text.substr(0, scheme.size()), scheme);
  };
  if (begins("unix:")) return read_unix(text.substr(5), url);
  for (const Scheme& scheme : schemes) {
    if (!begins(scheme.begins)) continue;
    url.tls = scheme.tls;
    url.websocket = scheme.websocket;
    url.port = scheme.tls ? 443 : 80;
    return read_http(text.substr(scheme.begins.size()), text, url);
  }
  if (text.find("://") != text.npos)
    return fmt::format("`{}`: bench knows http://, https://, ws://, wss:// and unix: URLs alone", text);
  return read_http(text, text, url);  // "localhost:8080/", as people write it.
}

}  // namespace millrace::config
