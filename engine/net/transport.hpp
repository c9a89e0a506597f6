// transport.hpp: the seam between a socket's bytes and the protocol's: null for plain TCP.
//
//   socket -> Transport::on_bytes -> Protocol::on_bytes ... Connection::output -> Transport::seal -> socket
//
// Owner       one object per connection that has one, made by its listener's factory; Connection::transport.
// Invariants  (1) of Connection::output the first sealed_bytes are as the wire wants them, the rest as
//                 the protocol wrote it: so its size is what is unsent, with a transport or without.
//             (2) only sealed bytes are sent, and seal() is called when none is left.
//             (3) once Connection::kernel_seals, no bytes are sealed: all are sent as they are.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/mem/block_pool.hpp"
#include "engine/net/connection.hpp"
#include "engine/net/protocol.hpp"

namespace millrace::net {

class Transport {
 public:
  /// Bytes from the socket, gone after the call: gives the protocol what they carry.
  virtual void on_bytes(Connection& connection, char* data, std::size_t size) noexcept = 0;
  /// Whether files may stand in the output from now on: they are sealed below the socket, and seal() makes
  /// that so before they are sent.
  virtual bool sends_files(Connection& connection) noexcept = 0;
  /// The peer ended its direction of the socket.
  virtual void on_end(Connection& connection) noexcept = 0;
  /// Seals all of the output, with what the transport has to say itself; once the connection finishes,
  /// also its own end. Sets Connection::sealed_bytes; it may stay 0. Aborts where memory is out.
  /// Where the kernel seals: behind the last of the output, its own end.
  virtual void seal(Connection& connection) noexcept = 0;
  /// The connection's descriptor is about to be closed: gives itself and its memory back.
  virtual void release() noexcept = 0;
  /// The subject of the certificate the peer has shown and that was verified; empty: none.
  virtual std::string peer_subject() const = 0;

 protected:
  ~Transport() = default;
};

/// Written by one core's thread, relaxed; any thread reads.
struct TransportCounters {
  using Count = std::atomic<std::uint64_t>;
  Count handshakes{0}, resumed{0};  ///< Completed; of these, by resumption.
  Count kernel{0};                  ///< Connections whose sending the kernel has taken over.
  Count failures{0};                ///< Handshakes that failed or took too long, and broken records.
};

/// What a listener gives its connections. One per core; outlives the core.
class TransportFactory {
 public:
  virtual ~TransportFactory() = default;
  /// A transport for a new connection, on which it may set another protocol until it is ready: then it
  /// gives back the one it found, and calls its on_open(). Null: no memory.
  virtual Transport* open(Connection& connection, Carrier& carrier, mem::BlockPool& pool) noexcept = 0;
  const TransportCounters& counters() const noexcept { return counters_; }

 protected:
  TransportCounters counters_;
};

}  // namespace millrace::net
