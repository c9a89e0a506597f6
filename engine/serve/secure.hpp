// secure.hpp: what the server asks of TLS without knowing it. engine/ext/tls defines it, or a build
// without OpenSSL its absence; nothing below includes that library.
#pragma once

#include <millrace/server.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/net/transport.hpp"

namespace millrace::serve {

/// The certificates and session keys of one server, shared by its cores.
class Secure {
 public:
  virtual ~Secure() = default;

  /// Reads the files that `options` names, and serves by them from the next connection on. Sentences go
  /// to `problems` (then nothing has changed) and `warnings`. Any thread, one at a time; `cores` is the same
  /// each time.
  virtual void load(const ServerOptions& options, std::size_t cores, std::vector<std::string>& problems,
                    std::vector<std::string>& warnings) = 0;
  /// For that core; load() must have succeeded. This must outlive what it makes.
  virtual std::unique_ptr<net::TransportFactory> make_factory(std::size_t core) = 0;
};

inline constexpr std::string_view no_secure =
    "is set, but this build has no TLS: install libssl-dev and build again with -Dtls=enabled";

/// Null where this build has no TLS.
std::unique_ptr<Secure> make_secure();
/// "OpenSSL 3.0.19 27 Jan 2026"; empty where this build has no TLS.
std::string secure_version();

}  // namespace millrace::serve
