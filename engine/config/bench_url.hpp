// bench_url.hpp: what `millrace bench` takes for a URL. Source: RFC 3986, RFC 9110 section 4.2.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::config {

/// http, https, ws or wss://host[:port][/path][?query], or unix:/path/of.sock[:/path][?query]
struct BenchUrl {
  std::string host;         ///< Without the brackets of IPv6; empty for a unix socket.
  std::uint16_t port = 80;  ///< 443 by TLS.
  bool tls = false;
  bool websocket = false;
  std::string socket_path;  ///< Of a unix socket.
  std::string authority;    ///< For the Host field.
  std::string target;       ///< For the request line; begins with "/".

  bool same_server(const BenchUrl& other) const noexcept {
    return host == other.host && port == other.port && socket_path == other.socket_path && tls == other.tls &&
           websocket == other.websocket;
  }
};

/// A sentence on what is wrong with it; empty where it is right.
std::string read_bench_url(std::string_view text, BenchUrl& url);
/// The same for a path and query alone, as a file of URLs may have them.
std::string check_target(std::string_view target);

}  // namespace millrace::config
