#include "engine/serve/core.hpp"

#include <algorithm>
#include <utility>

#include "engine/base/assert.hpp"

namespace millrace::serve {
namespace {

void add(CoreCounters::Count& count, std::uint64_t by) noexcept {  // One writer: no locked instruction.
  count.store(count.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

}  // namespace

Core::Core(const CoreOptions& options, io::IoBackend& backend, proto::RequestHandler& handler)
    : Carrier(backend.now()),
      options_(options),
      backend_(backend),
      pool_(options.memory_bytes_max),
      wheel_(now_),
      scheduler_(wheel_, backend),
      http_(options.http, *this, pool_, handler, scheduler_),
      websockets_(*this, pool_, scheduler_),
      connections_(options.connections_max + refused_slots),
      completions_(std::make_unique<io::Completion[]>(completions_max)),
      events_(std::make_unique<Event[]>(completions_max)),
      returned_(std::make_unique<std::uint16_t[]>(completions_max)),
      starved_(std::make_unique<std::uint32_t[]>(completions_max)) {
  scheduler_.websockets = &websockets_;
}

Core::~Core() {
  MR_ASSERT(connections_.live_count() == 0);
  wheel_.stop(accept_retry_);
  wheel_.stop(stop_timer_);
  MR_ASSERT(wheel_.count() == 0);  // A timer left here belongs to something that was leaked.
}

void Core::redirect_plain(proto::RequestHandler& handler) {
  net::Carrier& carrier = *this;
  redirecting_.emplace(options_.http, carrier, pool_, handler, scheduler_);
}

void Core::turn(TimeNs deadline) noexcept {
  const Scheduler::Current current(scheduler_);
  if (scheduler_.has_ready()) {
    deadline = 0;
  } else {
    deadline = std::min(deadline, wheel_.next_deadline());
  }
  const std::size_t count = backend_.wait({completions_.get(), completions_max}, deadline);
  now_ = backend_.now();
  http_.on_turn(now_);
  if (redirecting_) [[unlikely]]
    redirecting_->on_turn(now_);
  if (stop_grace_.load(std::memory_order_acquire) != time_never) [[unlikely]]
    begin_stop();
  reap(count);
  handle_events();
  if (std::exchange(woken_, false)) [[unlikely]]
    websockets_.deliver_posted();
  wheel_.expire(now_, [this](net::Timer& timer) { fire(timer); });
  scheduler_.run_ready();
  while (!flush_.empty()) flush(flush_.pop_front());
  recycle();
  publish();
}

void Core::handle_events() noexcept {
  for (std::size_t i = 0; i < event_count_; ++i) {
    const Event& event = events_[i];
    net::Connection& connection = *event.connection;
    if (event.kind == EventKind::end) {
      connection.read_ended = true;
      flush_later(connection);
    }
    if (connection.aborting || connection.lingering) continue;
    switch (event.kind) {
      case EventKind::bytes:
        if (connection.finishing) break;  // Nothing behind the last reply is read.
        if (connection.transport == nullptr) [[likely]] {
          connection.protocol->on_bytes(connection, backend_.buffer(event.buffer_id), event.size);
        } else {
          connection.transport->on_bytes(connection, backend_.buffer(event.buffer_id), event.size);
        }
        break;
      case EventKind::end:
        if (connection.transport != nullptr) {
          connection.transport->on_end(connection);
        } else {
          connection.protocol->on_end(connection);
        }
        break;
      case EventKind::sent: connection.protocol->on_sent(connection); break;
    }
  }
  event_count_ = 0;
}

void Core::fire(net::Timer& timer) noexcept {
  switch (timer.kind) {
    case net::TimerKind::connection: {
      net::Connection& connection = *static_cast<net::ConnectionTimer&>(timer).owner;
      if (connection.closing || connection.aborting || connection.deadline == time_never) return;
      if (now_ < connection.deadline) return wheel_.start(timer, connection.deadline);
      if (connection.delivering) return flush_later(connection);
      connection.deadline = time_never;
      if (connection.lingering) return abort(connection, connection.reason);
      return connection.protocol->on_deadline(connection);
    }
    case net::TimerKind::sleep:
    case net::TimerKind::request: return scheduler_.fire(timer);
    case net::TimerKind::accept_retry: return resume_accept();
    case net::TimerKind::core:
      return connections_.for_each([this](net::Connection& connection) {
        if (!connection.closing) abort(connection, net::CloseReason::stopped);
      });
  }
  MR_UNREACHABLE("a timer of no kind");
}

// Every buffer of this turn goes back; who starved for one may ask again.
void Core::recycle() noexcept {
  if (returned_count_ != 0) backend_.give_back({returned_.get(), returned_count_});
  returned_count_ = 0;
  for (std::size_t i = 0; i < starved_count_; ++i) {
    const std::uint32_t slot = starved_[i];
    net::Connection* connection = connections_.at_slot(slot);
    if (connection == nullptr || !connection->starved) continue;  // Closed since; the slot may be used again.
    connection->starved = false;
    if (!connection->closing) begin_receive(*connection);
  }
  starved_count_ = 0;
}

// What the others may read, once a turn rather than once an event.
void Core::publish() noexcept {
  const h1::Counters& http = http_.counters();
  counters_.requests.store(http.requests, std::memory_order_relaxed);
  counters_.refused.store(http.refused, std::memory_order_relaxed);
  counters_.timeouts.store(http.timeouts, std::memory_order_relaxed);
  counters_.cancelled.store(http.exchanges_cancelled, std::memory_order_relaxed);
  counters_.memory_bytes_now.store(pool_.bytes_used(), std::memory_order_relaxed);
  counters_.connections_now.store(connections_.live_count(), std::memory_order_relaxed);
  counters_.overflows.store(backend_.stats().queue_overflows, std::memory_order_relaxed);
  counters_.bytes_received.store(bytes_received_, std::memory_order_relaxed);
  counters_.bytes_sent.store(bytes_sent_, std::memory_order_relaxed);
  for (std::size_t i = 0; i < http.replies.size(); ++i)
    counters_.replies[i].store(http.replies[i], std::memory_order_relaxed);
  add(counters_.turns, 1);
  if (redirecting_) [[unlikely]] {
    add(counters_.requests, redirecting_->counters().requests);
    for (std::size_t i = 0; i < http.replies.size(); ++i)
      add(counters_.replies[i], redirecting_->counters().replies[i]);
  }
  if (websockets_.protocol.counters().opened != 0) publish_sockets(websockets_.protocol.counters());
}

void Core::publish_sockets(const ws::Counters& sockets) noexcept {
  counters_.sockets_opened.store(sockets.opened, std::memory_order_relaxed);
  counters_.socket_messages_received.store(sockets.messages_received, std::memory_order_relaxed);
  counters_.socket_messages_sent.store(sockets.messages_sent, std::memory_order_relaxed);
  counters_.sockets_failed.store(sockets.failed, std::memory_order_relaxed);
  counters_.published_dropped.store(sockets.published_dropped, std::memory_order_relaxed);
  counters_.slow_subscribers_closed.store(sockets.slow_closed, std::memory_order_relaxed);
  counters_.timeouts.store(http_.counters().timeouts + sockets.timeouts, std::memory_order_relaxed);
}

void Core::request_stop(TimeNs grace_ns) noexcept {
  TimeNs current = stop_grace_.load(std::memory_order_relaxed);
  grace_ns = std::min(grace_ns, time_never - 1);
  while (grace_ns < current &&
         !stop_grace_.compare_exchange_weak(current, grace_ns, std::memory_order_release)) {
  }
  backend_.wake();
}

bool Core::done() const noexcept {
  if (!stopping_ || connections_.live_count() != 0 || http_.exchanges_live() != 0) return false;
  return std::none_of(listeners_.begin(), listeners_.end(),
                      [](const Listener& listener) { return listener.armed; });
}

}  // namespace millrace::serve
