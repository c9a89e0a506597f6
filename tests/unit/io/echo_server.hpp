// echo_server.hpp: the smallest server that uses every operation of a backend: it sends back what it
// reads, stops reading where the peer does not read, and lets go of everything at the end.
#pragma once

#include <cerrno>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "engine/io/backend.hpp"

namespace millrace::io::test {

class EchoServer {
 public:
  EchoServer(IoBackend& backend, Descriptor listener) : backend_(backend), listener_(listener) {
    arm_accept();
  }

  /// One turn; false once stop() was called and everything has ended.
  bool turn(TimeNs deadline) {
    Completion done[64];
    const std::size_t count = backend_.wait(done, deadline);
    for (std::size_t i = 0; i < count; ++i) on(done[i]);
    backend_.give_back(used_);
    used_.clear();
    for (std::uint32_t slot = 0; slot < peers_.size(); ++slot) settle(slot);
    if (!accepting_ && !stopping_) arm_accept();
    return accepting_ || listener_ != no_descriptor || live_ != 0;
  }

  void stop() {
    stopping_ = true;
    if (accepting_) backend_.cancel(accept_token());
    for (Peer& peer : peers_) peer.closing |= peer.descriptor != no_descriptor;
  }

  std::uint32_t live() const { return live_; }
  std::uint64_t starved = 0, accept_errors = 0, stale = 0, hangups = 0;

 private:
  static constexpr std::size_t hold_bytes = 1000;
  struct Peer {
    Descriptor descriptor = no_descriptor;
    std::uint32_t generation = 0;
    std::string out;      // What is not sent yet; not touched while sending.
    std::string pending;  // Read meanwhile.
    iovec parts[2] = {};
    bool receiving = false, sending = false, watching = false;
    bool ended = false, closing = false, recv_cancelled = false, send_cancelled = false,
         watch_cancelled = false;
  };

  Token accept_token() const { return {Op::accept, 0, 0}; }
  Token token(Op op, std::uint32_t slot) const { return {op, peers_[slot].generation, slot}; }
  void arm_accept() {
    backend_.accept(accept_token(), listener_);
    accepting_ = true;
  }

  void on(const Completion& done) {
    if (done.has_buffer) used_.push_back(done.buffer_id);
    if (done.token.op() == Op::accept) return on_accept(done);
    if (done.token.op() == Op::wake) return;
    const std::uint32_t slot = done.token.slot();
    if (slot >= peers_.size() || peers_[slot].generation != done.token.generation()) {
      ++stale;
      return;
    }
    Peer& peer = peers_[slot];
    if (done.token.op() == Op::recv) return on_recv(peer, done);
    if (done.token.op() == Op::hangup) {
      peer.watching = false;
      hangups += done.result >= 0;
      peer.closing |= done.result >= 0;
      return;
    }
    peer.sending = false;
    if (done.result < 0) {
      peer.closing = true;
    } else {
      peer.out.erase(0, static_cast<std::size_t>(done.result));
    }
  }

  void on_accept(const Completion& done) {
    accepting_ = done.more;
    if (done.result < 0) {
      accept_errors += done.result != -ECANCELED;
      return;
    }
    std::uint32_t slot = 0;
    while (slot < peers_.size() && peers_[slot].descriptor != no_descriptor) ++slot;
    if (slot == peers_.size()) peers_.emplace_back();
    const std::uint32_t generation = peers_[slot].generation + 1;
    peers_[slot] = {};
    peers_[slot].generation = generation;
    peers_[slot].descriptor = done.result;
    peers_[slot].closing = stopping_;
    ++live_;
  }

  void on_recv(Peer& peer, const Completion& done) {
    peer.receiving = done.more;
    if (!done.more) peer.recv_cancelled = false;
    if (done.result > 0) {
      peer.pending.append(backend_.buffer(done.buffer_id), static_cast<std::size_t>(done.result));
    } else if (done.result == 0) {
      peer.ended = true;
    } else if (done.result == -ENOBUFS) {
      ++starved;
    } else if (done.result != -ECANCELED) {
      peer.closing = true;
    }
  }

  // Brings a peer's operations to what its state asks for.
  void settle(std::uint32_t slot) {
    Peer& peer = peers_[slot];
    if (peer.descriptor == no_descriptor) return;
    if (peer.closing) return close(slot);
    if (!peer.sending) {
      peer.out += peer.pending;
      peer.pending.clear();
      if (!peer.out.empty()) send(slot);
    }
    if (peer.ended && !peer.sending) {
      backend_.shutdown_send(peer.descriptor);
      peer.closing = true;
      return close(slot);
    }
    const bool hold = peer.out.size() + peer.pending.size() > hold_bytes;
    if (hold && peer.receiving && !peer.recv_cancelled) {
      backend_.cancel(token(Op::recv, slot));
      peer.recv_cancelled = true;
    }
    if (!hold && !peer.receiving && !peer.ended) {
      backend_.recv(token(Op::recv, slot), peer.descriptor);
      peer.receiving = true;
    }
    if (!peer.watching) {
      backend_.hangup(token(Op::hangup, slot), peer.descriptor);
      peer.watching = true;
    }
  }

  void send(std::uint32_t slot) {
    Peer& peer = peers_[slot];
    const std::size_t half = peer.out.size() / 2;
    peer.parts[0] = {.iov_base = peer.out.data(), .iov_len = half};
    peer.parts[1] = {.iov_base = peer.out.data() + half, .iov_len = peer.out.size() - half};
    const std::span<const iovec> parts(peer.parts);
    backend_.send(token(Op::send, slot), peer.descriptor, half == 0 ? parts.subspan(1) : parts);
    peer.sending = true;
  }

  void close(std::uint32_t slot) {
    Peer& peer = peers_[slot];
    const auto stop = [&](Op op, bool under_way, bool& cancelled) {
      if (under_way && !cancelled) backend_.cancel(token(op, slot));
      cancelled |= under_way;
    };
    stop(Op::recv, peer.receiving, peer.recv_cancelled);
    stop(Op::send, peer.sending, peer.send_cancelled);
    stop(Op::hangup, peer.watching, peer.watch_cancelled);
    if (peer.receiving || peer.sending || peer.watching) return;
    backend_.close(peer.descriptor, false);
    peer.descriptor = no_descriptor;
    ++peer.generation;
    --live_;
  }

 public:
  /// The listener is closed once its accept has ended.
  void close_listener() {
    if (accepting_ || listener_ == no_descriptor) return;
    backend_.close(listener_, false);
    listener_ = no_descriptor;
  }

 private:
  IoBackend& backend_;
  Descriptor listener_;
  bool accepting_ = false;
  bool stopping_ = false;
  std::uint32_t live_ = 0;
  std::deque<Peer> peers_;  // Does not move what a send has borrowed.
  std::vector<std::uint16_t> used_;
};

}  // namespace millrace::io::test
