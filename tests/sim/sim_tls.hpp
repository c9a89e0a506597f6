// sim_tls.hpp: TLS of a simulated world, the same for the same seed: the numbers that OpenSSL draws, the
// certificate, and what time it is all follow from it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/io/sim/network.hpp"
#include "engine/net/transport.hpp"

namespace millrace::test {

/// The client's side of one connection: content on one side, the wire on the other.
class TlsEnd {
 public:
  virtual ~TlsEnd() = default;
  /// Content for the server, kept until the handshake is complete.
  virtual void write(std::string_view content) = 0;
  /// close_notify, behind what was written.
  virtual void end() = 0;
  /// What the server sent; its content goes to the end of `content`.
  virtual void feed(std::string_view wire, std::string& content) = 0;
  /// What is to be sent now.
  virtual std::string take_wire() = 0;
  /// The handshake is complete.
  virtual bool open() const = 0;
  /// The server's close_notify was read.
  virtual bool ended() const = 0;
  /// Something came that is no TLS, or an alert.
  virtual bool broken() const = 0;
};

/// The server's side, of one world. One lives at a time.
class SimTls {
 public:
  /// Null where this build has no TLS.
  static std::unique_ptr<SimTls> make(std::uint64_t seed);
  virtual ~SimTls() = default;
  /// For one core; this must outlive it.
  virtual std::unique_ptr<net::TransportFactory> make_factory() = 0;
  /// Of a kernel that makes records.
  virtual io::sim::MakeSealer sealers() = 0;
  /// old  speaks TLS 1.2 at most.
  virtual std::unique_ptr<TlsEnd> make_client(bool old) = 0;
};

}  // namespace millrace::test
