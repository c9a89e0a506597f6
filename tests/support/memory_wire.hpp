// memory_wire.hpp: HTTP/1.1 connections without a backend: bytes go in by send(), replies come out as a
// string. For unit tests of the protocol, and for counting its instructions.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/mem/block_pool.hpp"
#include "engine/mem/slab.hpp"
#include "engine/net/protocol.hpp"
#include "engine/proto/h1/protocol.hpp"

namespace millrace::test {

/// A scheduler's part in a protocol's test: notes what it is told.
class NotingTasks final : public proto::Tasks {
 public:
  void cancel(detail::Scope& scope) noexcept override { scope.cancelled = true; }
  void wake(detail::Waiter& waiter) noexcept override {
    waiter.scope->waiter = nullptr;
    ++wakes;
  }
  std::size_t wakes = 0;
};

/// Answers what the core would: flushes, deadlines and closing are noted, not done.
class MemoryWire final : public net::Carrier {
 public:
  MemoryWire(const h1::Options& options, proto::RequestHandler& handler)
      : Carrier(ns_per_s), http(options, *this, pool, handler, tasks) {
    http.on_turn(now_);
    open();
  }
  ~MemoryWire() { close(); }

  /// A new connection in place of the last one.
  void open() {
    connection = connections.make(7, http);
    http.on_open(*connection);
    finished = aborted = false;
  }
  void close() {
    if (connection == nullptr) return;
    http.on_closed(*connection);
    connection->output.clear(pool);
    if (connection->ListLink<net::FlushTag>::linked()) connection->ListLink<net::FlushTag>::unlink();
    connections.destroy(*connection);
    connection = nullptr;
  }

  /// The bytes arrive in one buffer; returns what is answered. An aborted connection takes nothing.
  std::string send(std::string_view bytes) {
    arrive(bytes);
    return take();
  }
  /// On a new connection, in two receives.
  std::string send_cut(std::string_view bytes, std::size_t cut) {
    close();
    open();
    const std::string first = send(bytes.substr(0, cut));
    return first + send(bytes.substr(cut));
  }
  /// As send(), and nothing is taken of what is answered.
  void arrive(std::string_view bytes) {
    std::vector<char> buffer(bytes.begin(), bytes.end());
    buffer.resize(bytes.size() + mem::padding_bytes);
    if (!aborted) http.on_bytes(*connection, buffer.data(), bytes.size());
  }
  /// The peer's end.
  std::string end() {
    connection->read_ended = true;
    if (!aborted) http.on_end(*connection);
    return take();
  }
  /// Everything sent since the last call; `limit` bytes of it at most, the rest stays unsent.
  std::string take(std::size_t limit = ~std::size_t{0}) {
    std::string taken;
    while (!connection->output.empty() && taken.size() < limit) {
      std::size_t sent = 0;
      for (const iovec& part : connection->output.gather()) {
        const std::size_t size = std::min(part.iov_len, limit - taken.size());
        taken.append(static_cast<const char*>(part.iov_base), size);
        sent += size;
      }
      connection->output.consume(pool, sent);
      if (!aborted) http.on_sent(*connection);
    }
    return taken;
  }
  /// Time passes; the deadline fires when it is due.
  std::string wait(TimeNs duration) {
    stall(duration);
    return take();
  }
  /// The same, and nothing is taken.
  void stall(TimeNs duration) {
    now_ += duration;
    http.on_turn(now_);
    if (now_ >= connection->deadline) {
      connection->deadline = time_never;
      http.on_deadline(*connection);
    }
  }

  void flush_later(net::Connection&) noexcept override { ++flushes; }
  void start_timer(net::Connection&, TimeNs) noexcept override {}
  void hold_reading(net::Connection& of, bool hold) noexcept override { of.hold_reading = hold; }
  bool peer_takes(net::Connection& of) noexcept override {
    return unacknowledged < std::exchange(of.unacknowledged_bytes, unacknowledged);
  }
  void watch_hangup(net::Connection&) noexcept override {}
  bool sends_files(net::Connection&) noexcept override { return false; }
  void finish(net::Connection& of, net::CloseReason) noexcept override { finished = of.finishing = true; }
  void abort(net::Connection& of, net::CloseReason) noexcept override { aborted = of.aborting = true; }

  mem::BlockPool pool{64u << 20};
  mem::Slab<net::Connection> connections{16};
  NotingTasks tasks;
  h1::Protocol http;
  net::Connection* connection = nullptr;
  std::size_t unacknowledged = 0;
  bool finished = false;  ///< Closes once the output is sent.
  bool aborted = false;
  std::size_t flushes = 0;
};

}  // namespace millrace::test
