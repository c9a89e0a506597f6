#include "engine/ext/bench/worker.hpp"

#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "engine/base/assert.hpp"
#include "engine/ext/bench/connect.hpp"

namespace millrace::bench {
namespace {

constexpr TimeNs tick_ns = 100 * ns_per_ms;
constexpr std::size_t completions_max = 1024;  ///< Taken out of the ring at once; the rest comes next time.

std::uint32_t share_of(const Plan& plan, std::uint32_t index) {
  return plan.connections / plan.threads + (index < plan.connections % plan.threads ? 1 : 0);
}

}  // namespace

Worker::Worker(const Plan& plan, const Endpoint& endpoint, std::uint32_t index, const SecureContext* secure)
    : plan_(plan),
      endpoint_(endpoint),
      plain_(secure != nullptr ? plain_bytes : 0),
      tape_(plan),
      schedule_(plan, index),
      learned_(plan.requests.size()),
      completions_(completions_max) {
  for (std::uint32_t left = share_of(plan, index); left != 0; --left) {
    Peer& peer = peers_.emplace_back(AnswerReader(plan.expect, plan.method));
    if (!plan.tls && !plan.websocket) continue;
    peer.extra = std::make_unique<Extra>();
    if (plan.tls) peer.extra->tls = std::make_unique<SecureStream>(*secure);
    if (plan.websocket) peer.extra->echo = std::make_unique<EchoReader>(plan.websocket->accept);
  }
}

Worker::~Worker() {
  for (const Peer& peer : peers_)
    if (peer.descriptor != io::no_descriptor) ::close(peer.descriptor);
}

void Worker::run(io::IoBackend& backend) {
  backend_ = &backend;
  now_ = backend.now();
  next_tick_ = now_ + tick_ns;
  schedule_.start(now_);
  tally_.began = tally_.ended = now_;
  for (std::uint32_t index = 0; index != peers_.size(); ++index) feed(index);
  while (!stopped_.load(std::memory_order_relaxed) && (busy_ != 0 || !schedule_.over(now_))) turn();
  if (schedule_.open_loop())
    tally_.unsent = stopped_.load(std::memory_order_relaxed) ? 0 : schedule_.backlog(now_);
}

void Worker::turn() {
  const std::size_t count = backend_->wait(completions_, wake_time());
  now_ = backend_->now();
  reap(count);
  if (!used_buffers_.empty()) backend_->give_back(used_buffers_);
  used_buffers_.clear();
  for (const std::uint32_t index : rearm_) arm(index);
  rearm_.clear();
  if (schedule_.open_loop()) {
    tally_.backlog_max = std::max(tally_.backlog_max, schedule_.backlog(now_));
    for (std::size_t waiting = idle_.size(); waiting != 0 && schedule_.backlog(now_) != 0; --waiting) {
      const std::uint32_t index = idle_.front();
      idle_.pop_front();
      feed(index);
    }
  }
  if (now_ >= next_tick_) tick();
  answered_.store(tally_.answered, std::memory_order_relaxed);
  faults_.store(tally_.faults.count(), std::memory_order_relaxed);
}

TimeNs Worker::wake_time() const noexcept {
  const bool awaits_time = schedule_.open_loop() && !idle_.empty() && !schedule_.over(now_);
  return awaits_time ? std::min(next_tick_, schedule_.next_due()) : next_tick_;
}

void Worker::reap(std::size_t count) {
  for (std::size_t i = 0; i != count; ++i) {
    const io::Completion& done = completions_[i];
    const std::uint32_t index = done.token.slot();
    if (done.has_buffer) used_buffers_.push_back(done.buffer_id);
    if (done.token.op() != io::Op::send && done.token.op() != io::Op::recv) continue;
    if (done.token.generation() != peers_[index].generation) continue;
    if (done.token.op() == io::Op::send)
      sent(index, done.result);
    else
      received(index, done);
  }
}

// --- What the server does ---

void Worker::sent(std::uint32_t index, std::int32_t result) {
  Peer& peer = peers_[index];
  peer.sending = false;
  if (peer.leaving) return close_when_quiet(index);
  if (result < 0) {
    // The receive tells the rest: answers that came before, or the end. Of a connection that was never
    // made it tells nothing but the end, and this is the reason.
    peer.send_errno = -result;
    return;
  }
  peer.part.iov_base = static_cast<char*>(peer.part.iov_base) + result;
  peer.part.iov_len -= static_cast<std::size_t>(result);
  if (peer.part.iov_len == 0) peer.part = std::exchange(peer.next_part, iovec{});
  if (peer.part.iov_len != 0) return send_part(index);
  if (peer.extra != nullptr) flush(index);
}

void Worker::received(std::uint32_t index, const io::Completion& done) {
  Peer& peer = peers_[index];
  if (!done.more) peer.receiving = false;
  if (done.result > 0) {
    tally_.received_bytes += static_cast<std::uint64_t>(done.result);
    if (!peer.leaving)
      consume(index, backend_->buffer(done.buffer_id), static_cast<std::size_t>(done.result));
    if (done.more) return;
    if (!peer.leaving) return arm(index);
  } else if (done.result == -ENOBUFS && !peer.leaving) {
    rearm_.push_back(index);
    return;
  }
  receive_ended(index, done.result);
}

void Worker::consume(std::uint32_t index, char* bytes, std::size_t size) {
  Peer& peer = peers_[index];
  peer.heard = now_;
  if (peer.extra != nullptr && peer.extra->tls != nullptr) return consume_records(index, {bytes, size});
  consume_plain(index, bytes, size);
}

void Worker::consume_plain(std::uint32_t index, char* bytes, std::size_t size) {
  Peer& peer = peers_[index];
  if (peer.extra != nullptr && peer.extra->echo != nullptr) return consume_echoes(index, bytes, size);
  const std::uint32_t generation = peer.generation;  // What is behind the last answer here is of no interest.
  for (std::size_t at = 0; at != size && !peer.leaving && peer.generation == generation;) {
    if (peer.left() == 0) return give_up(index, "bytes behind the last answer");
    const std::size_t kind = (peer.batch.first + peer.answered) % tape_.kinds();
    Taken taken = peer.reader.take(bytes + at, size - at, learned_[kind]);
    at += taken.bytes;
    if (!taken.whole && !taken.fault.empty()) return give_up(index, std::move(taken.fault));
    if (!taken.whole || !take_answer(peer, taken)) continue;
    if (at == size || peer.leaving) {
      batch_answered(index);
    } else {
      --busy_;
      give_up(index, "bytes behind the last answer");
    }
  }
}

/// Counts an answer; true where it was the last that this connection gives.
bool Worker::take_answer(Peer& peer, const Taken& taken) {
  const TimeNs intended = schedule_.intended(peer.batch, peer.answered);
  tally_.latency.record(now_ > intended ? now_ - intended : 0);
  tally_.ended = now_;
  ++tally_.answered;
  if (taken.status != 0) ++tally_.statuses[taken.status];
  ++peer.answered;
  if (!taken.fault.empty()) [[unlikely]]
    tally_.faults.note(taken.fault);
  // Where the server takes no further request (RFC 9112 section 9.6), the rest is asked again elsewhere.
  if (taken.last) peer.leaving = true;
  return peer.left() == 0 || taken.last;
}

void Worker::batch_answered(std::uint32_t index) {
  Peer& peer = peers_[index];
  if (peer.left() == 0) --busy_;
  if (!plan_.keep_alive) peer.leaving = true;
  // Who closes first keeps the port in TIME_WAIT; that is left to the server, which said or was told so.
  if (peer.leaving) return close_when_quiet(index);
  peer.batch = {};
  peer.answered = 0;
  feed(index);
}

void Worker::receive_ended(std::uint32_t index, std::int32_t result) {
  Peer& peer = peers_[index];
  peer.receiving = false;
  if (peer.leaving) return close_when_quiet(index);
  // By TLS an end that was not announced may be a cut: then no answer ends with it.
  const bool told = peer.extra == nullptr || peer.extra->tls == nullptr || peer.extra->tls->ended();
  if (result == 0 && told) {
    const Taken taken = peer.reader.close();
    if (taken.whole && take_answer(peer, taken)) return batch_answered(index);
  }
  const bool inside = peer.reader.inside() ||
                      (peer.extra != nullptr && peer.extra->echo != nullptr && peer.extra->echo->inside());
  // An idle connection, as a server may.
  if (peer.left() == 0 && !inside) return leave(index);
  const int failed = result < 0 ? -result : peer.send_errno;
  const bool mute = peer.answered == 0 && !inside;
  if (failed != 0 && mute) return give_up(index, std::strerror(failed));
  give_up(index, inside ? "closed in the middle of an answer" : "closed before the answer");
}

// --- What we do ---

/// Gives a connection without a batch its next one, if there is one.
void Worker::feed(std::uint32_t index) {
  Peer& peer = peers_[index];
  peer.batch = schedule_.next(now_);
  peer.answered = 0;
  if (peer.batch.count != 0) {
    ++busy_;
    send_batch(index);
  } else if (schedule_.open_loop()) {
    idle_.push_back(index);
  }
}

/// Sends what is unanswered of the batch, over a new connection where there is none.
void Worker::send_batch(std::uint32_t index) {
  Peer& peer = peers_[index];
  peer.heard = now_;
  if (peer.descriptor == io::no_descriptor && !connect(index)) return;
  if (plan_.websocket && !peer.extra->echo->opened()) return put(index, plan_.websocket->request);
  const std::size_t first = (peer.batch.first + peer.answered) % tape_.kinds();
  put(index, tape_.batch(first, peer.left()));
}

/// Sends bytes that stay where they are.
void Worker::put(std::uint32_t index, std::string_view bytes) {
  Peer& peer = peers_[index];
  if (peer.extra != nullptr && peer.extra->tls != nullptr) {
    peer.extra->tls->write(bytes);
    return flush(index);
  }
  const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  if (peer.sending) {  // A batch may be answered before its send is known to have ended.
    peer.next_part = part;
  } else {
    peer.part = part;
    send_part(index);
  }
}

void Worker::send_part(std::uint32_t index) {
  Peer& peer = peers_[index];
  peer.sending = true;
  backend_->send(token(io::Op::send, index), peer.descriptor, {&peer.part, 1});
}

bool Worker::connect(std::uint32_t index) {
  Peer& peer = peers_[index];
  const Result<io::Descriptor> made = begin_connect(endpoint_);
  if (!made) {
    give_up(index, made.error().os_errno == EADDRNOTAVAIL
                       ? "no local port is free: too many connections were closed within a minute"
                       : std::strerror(made.error().os_errno));
    return false;
  }
  peer.descriptor = made.value();
  peer.send_errno = 0;
  if (peer.extra != nullptr && peer.extra->tls != nullptr && !peer.extra->tls->start()) {
    give_up(index, "TLS: no memory for a connection");
    return false;
  }
  ++tally_.connected;
  arm(index);
  return true;
}

void Worker::arm(std::uint32_t index) {
  Peer& peer = peers_[index];
  if (peer.leaving || peer.receiving || peer.descriptor == io::no_descriptor) return;
  peer.receiving = true;
  backend_->recv(token(io::Op::recv, index), peer.descriptor);
}

/// Closes from our side.
void Worker::leave(std::uint32_t index) {
  Peer& peer = peers_[index];
  peer.leaving = true;
  std::erase(idle_, index);
  if (peer.receiving) backend_->cancel(token(io::Op::recv, index));
  if (peer.sending) backend_->cancel(token(io::Op::send, index));
  close_when_quiet(index);
}

void Worker::close_when_quiet(std::uint32_t index) {
  Peer& peer = peers_[index];
  if (peer.receiving || peer.sending) return;
  if (peer.descriptor != io::no_descriptor) backend_->close(peer.descriptor, true);
  peer.descriptor = io::no_descriptor;
  ++peer.generation;
  peer.generation &= 0xff'ffff;
  peer.leaving = false;
  peer.part = peer.next_part = {};
  peer.reader.reset();
  if (peer.extra != nullptr) {
    peer.extra->queued.clear();
    if (peer.extra->echo != nullptr) peer.extra->echo->reset();
  }
  if (peer.delayed) return;
  if (peer.left() != 0) return send_batch(index);
  feed(index);
}

/// Nothing more is hoped for from this connection: what it owes is a fault each.
void Worker::give_up(std::uint32_t index, std::string sentence) {
  Peer& peer = peers_[index];
  tally_.faults.note(std::move(sentence), std::max(1u, peer.left()));
  if (peer.left() != 0) --busy_;
  peer.batch = {};
  peer.answered = 0;
  peer.delayed = true;
  leave(index);
}

/// Ten times a second: what takes too long, and who tries again.
void Worker::tick() {
  next_tick_ = now_ + tick_ns;
  for (std::uint32_t index = 0; index != peers_.size(); ++index) {
    Peer& peer = peers_[index];
    if (peer.left() != 0 && !peer.leaving && now_ - peer.heard > plan_.patience) {
      give_up(index, fmt::format("no answer within {} ms", plan_.patience / ns_per_ms));
    } else if (peer.leaving && now_ - peer.heard > ns_per_s) {
      leave(index);  // The server said that it closes, and did not.
    } else if (peer.delayed && peer.descriptor == io::no_descriptor && !schedule_.over(now_)) {
      peer.delayed = false;
      feed(index);
    }
  }
}

}  // namespace millrace::bench
